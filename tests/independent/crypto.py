"""The cryptography of docs/formats.md: BLAKE3 contexts, strict Ed25519, BabyJubJub, Poseidon, Groth16."""

import functools

import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from py_ecc import optimized_bn128 as bn

R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583


class Refused(Exception):
    """What was read is not what the document calls this format, or not true."""


def check(condition, reason):
    if not condition:
        raise Refused(reason)


def b3(context, message):
    return blake3.blake3(message, derive_key_context=context).digest()


def frame(domain, *parts):
    return b"".join(len(part).to_bytes(8, "little") + part for part in (domain, *parts))


# Ed25519 ------------------------------------------------------------------------------------------

ED_P = 2**255 - 19
ED_L = 2**252 + 27742317777372353535851937790883648493
ED_D = -121665 * pow(121666, -1, ED_P) % ED_P


def ed_decode(data):
    """The point of 32 bytes, or None: off the curve, or not its canonical encoding."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= ED_P:
        return None
    square = (y * y - 1) * pow(ED_D * y * y + 1, -1, ED_P) % ED_P
    x = pow(square, (ED_P + 3) // 8, ED_P)
    if x * x % ED_P != square:
        x = x * pow(2, (ED_P - 1) // 4, ED_P) % ED_P
    if x * x % ED_P != square or (x == 0 and sign):
        return None
    return (ED_P - x if x % 2 != sign else x, y)


def ed_has_small_order(point):
    for _ in range(3):
        point = edwards_add(point, point, -1, ED_D, ED_P)
    return point == (0, 1)


def edwards_add(one, other, a, d, modulus):
    (x1, y1), (x2, y2) = one, other
    product = d * x1 * x2 * y1 * y2
    x = (x1 * y2 + y1 * x2) * pow(1 + product, -1, modulus)
    y = (y1 * y2 - a * x1 * x2) * pow(1 - product, -1, modulus)
    return (x % modulus, y % modulus)


@functools.cache
def ed_key(key):
    point = ed_decode(key)
    check(point is not None, "an Ed25519 key is not a canonical point")
    check(not ed_has_small_order(point), "an Ed25519 key has small order")
    return Ed25519PublicKey.from_public_bytes(key)


def ed_verify(key, message, signature):
    public = ed_key(key)
    r = ed_decode(signature[:32])
    check(r is not None and not ed_has_small_order(r), "a signature's R is no usable point")
    check(int.from_bytes(signature[32:], "little") < ED_L, "a signature's S is not reduced")
    try:
        # OpenSSL recomputes R and compares its bytes: the equation without cofactor.
        public.verify(signature, message)
    except InvalidSignature:
        raise Refused("a signature does not verify") from None


# BabyJubJub ---------------------------------------------------------------------------------------

JUB_A, JUB_D = 168700, 168696
JUB_B8 = (5299619240641551281634865583518297030282874472190772894086521144482721001553,
          16950150798460657717958625567821834550301663161624707787222815936182638968203)
JUB_L = 2736030358979909402780800718157159386076813972158567259200215660948447373041


def jub_multiply(point, scalar):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = edwards_add(result, point, JUB_A, JUB_D, R)
        point = edwards_add(point, point, JUB_A, JUB_D, R)
        scalar >>= 1
    return result


@functools.cache
def jub_check(point):
    """On the curve, in the prime-order subgroup, not the identity."""
    x, y = point
    left = (JUB_A * x * x + y * y) % R
    check(left == (1 + JUB_D * x * x * y * y) % R, "a point is not on BabyJubJub")
    check(point != (0, 1), "a point is the identity")
    check(jub_multiply(point, JUB_L) == (0, 1), "a point is outside the prime-order subgroup")


# Poseidon -----------------------------------------------------------------------------------------

PARTIAL = dict(zip(range(2, 18), [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68]))
TAGS = {"key": 1, "keystream": 2, "route": 3, "route commitment": 4, "cell": 5, "cell leaf": 6, "leaf": 7,
        "node": 8, "statement": 9, "open": 10, "policy": 11}


def grain(width):
    """Integers of 254 bits, for ever."""
    bits = []
    for value, length in [(1, 2), (0, 4), (254, 12), (width, 12), (8, 10), (PARTIAL[width], 10)]:
        bits += [value >> at & 1 for at in reversed(range(length))]
    bits += [1] * 30

    def step():
        bit = bits[62] ^ bits[51] ^ bits[38] ^ bits[23] ^ bits[13] ^ bits[0]
        del bits[0]
        bits.append(bit)
        return bit

    for _ in range(160):
        step()
    while True:
        value, count = 0, 0
        while count < 254:
            first, second = step(), step()
            if first:
                value, count = value << 1 | second, count + 1
        yield value


@functools.cache
def poseidon_constants(width):
    source = grain(width)
    below = (value for value in source if value < R)
    rounds = [[next(below) for _ in range(width)] for _ in range(8 + PARTIAL[width])]
    xs = [next(source) % R for _ in range(width)]
    ys = [next(source) % R for _ in range(width)]
    return rounds, [[pow(x + y, -1, R) for y in ys] for x in xs]


def permute(state):
    rounds, matrix = poseidon_constants(len(state))
    for number, constants in enumerate(rounds):
        state = [lane + constant for lane, constant in zip(state, constants)]
        full = number < 4 or number >= len(rounds) - 4
        boxed = len(state) if full else 1
        state[:boxed] = [pow(lane, 5, R) for lane in state[:boxed]]
        state = [sum(m * lane for m, lane in zip(row, state)) % R for row in matrix]
    return state


def capacity(use, length):
    return int.from_bytes(b"ukehi/seal/v1" + bytes([TAGS[use]]) + length.to_bytes(4, "big"), "big")


def poseidon(use, *inputs):
    width = min(max(len(inputs) + 1, 2), 17)
    state = [capacity(use, len(inputs))] + [0] * (width - 1)
    for start in range(0, max(len(inputs), 1), 16):
        for lane, value in enumerate(inputs[start:start + 16], 1):
            state[lane] = (state[lane] + value) % R
        state = permute(state)
    return state[0]


# Groth16 ------------------------------------------------------------------------------------------


def split_flags(data):
    flags = data[-1] & 0xC0
    check(flags != 0xC0, "a point has both flags")
    plain = data[:-1] + bytes([data[-1] & 0x3F])
    if flags == 0x40:
        check(not any(plain), "an identity hides coordinates")
    return flags, plain


def coordinate(data):
    value = int.from_bytes(data, "little")
    check(value < Q, "a coordinate is q or more")
    return value


def g1(data):
    flags, plain = split_flags(data)
    if flags == 0x40:
        return bn.Z1
    x = coordinate(plain)
    square = (x**3 + 3) % Q
    y = fq_root(square)
    check(y is not None, "an x of G1 has no point")
    if (y > Q - y) != (flags == 0x80):
        y = -y % Q
    return (bn.FQ(x), bn.FQ(y), bn.FQ(1))


def fq_root(value):
    """A square root in F_q, or None; q ≡ 3 mod 4."""
    root = pow(value, (Q + 1) // 4, Q)
    return root if root * root % Q == value % Q else None


def fq2_root(value):
    """A square root in F_q², or None: (a + b·u)² = value with u² = −1 means a² − b² = v0 and 2ab = v1."""
    v0, v1 = fq2_parts(value)
    norm = fq_root(v0 * v0 + v1 * v1)
    if norm is None:
        return None
    for a_squared in ((v0 + norm) * pow(2, -1, Q) % Q, (v0 - norm) * pow(2, -1, Q) % Q):
        a = fq_root(a_squared)
        if a:
            return bn.FQ2([a, v1 * pow(2 * a, -1, Q) % Q])
    b = fq_root(-v0)
    return None if b is None else bn.FQ2([0, b])


def fq2_parts(value):
    return int(value.coeffs[0]), int(value.coeffs[1])


def g2(data):
    flags, plain = split_flags(data)
    if flags == 0x40:
        return bn.Z2
    x = bn.FQ2([coordinate(plain[:32]), coordinate(plain[32:])])
    y = fq2_root(x * x * x + bn.FQ2([3, 0]) / bn.FQ2([9, 1]))
    check(y is not None, "an x of G2 has no point")
    larger = fq2_parts(y)[::-1] > fq2_parts(-y)[::-1]
    point = (x, y if larger == (flags == 0x80) else -y, bn.FQ2([1, 0]))
    check(bn.is_inf(bn.multiply(point, R)), "a point of G2 is outside the subgroup")
    return point


def verifying_key(data):
    magic = b"ukehi/bn254vk/v1"
    check(data[:16] == magic and len(data) >= 20, "not a verifying key")
    count = int.from_bytes(data[16:20], "little")
    check(count >= 1 and len(data) == 244 + 32 * count, "a verifying key of another length")
    alpha = g1(data[20:52])
    beta, gamma, delta = (g2(data[at:at + 64]) for at in (52, 116, 180))
    inputs = [g1(data[at:at + 32]) for at in range(244, len(data), 32)]
    for point in [alpha, beta, gamma, delta, *inputs[1:]]:
        check(not bn.is_inf(point), "an identity in a verifying key")
    check(not bn.eq(gamma, delta), "gamma and delta are equal")
    return alpha, beta, gamma, delta, inputs


def groth16_verify(key, inputs, data):
    alpha, beta, gamma, delta, elements = key
    check(len(inputs) == len(elements) - 1, "another number of public inputs")
    check(len(data) == 128, "a proof of another length")
    a, b, c = g1(data[:32]), g2(data[32:96]), g1(data[96:])
    for point in (a, b, c):
        check(not bn.is_inf(point), "an identity in a proof")
    total = elements[0]
    for value, element in zip(inputs, elements[1:]):
        total = bn.add(total, bn.multiply(element, value))
    product = bn.FQ12.one()
    for left, right in ((bn.neg(a), b), (alpha, beta), (total, gamma), (c, delta)):
        product *= bn.pairing(right, left, final_exponentiate=False)
    check(bn.final_exponentiate(product) == bn.FQ12.one(), "the proof does not verify")
