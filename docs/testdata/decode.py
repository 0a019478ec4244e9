"""Decodes wire files and prints their digests, from docs/reference/wire.md and program.md alone.

    python3 decode.py PARAMETERS FILE ...

It needs Python 3.8 and its standard library, and nothing of Signet. One line for each file: its name, its kind and its
digest. A file of parameters counts for those after it. It exits with 1 at the first byte that the pages do not allow.
"""

import hashlib
import struct
import sys


def must(ok, what):
    if not ok:
        raise ValueError(what)


def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def tree(nodes):
    """The RFC 6962 tree head over leaf hashes."""
    if len(nodes) < 2:
        return nodes[0] if nodes else H()
    k = 1
    while 2 * k < len(nodes):
        k *= 2
    return H(b"\x01", tree(nodes[:k]), tree(nodes[k:]))


def limb_digest(words):
    raw = struct.pack("<%dQ" % len(words), *words)
    return tree([H(b"\x00", raw[i : i + 8192]) for i in range(0, len(raw), 8192)])


def expand(seed, digit, prime, q, n):
    """The row modulo q that a seed stands for."""
    bits = q.bit_length()
    k = (bits + 7) // 8
    state = hashlib.shake_128(b"signet/expand/v1" + seed + struct.pack("<II", digit, prime))
    candidates = n
    while True:
        candidates *= 2
        stream = state.digest(candidates * k)
        words = (int.from_bytes(stream[i : i + k], "little") & ((1 << bits) - 1) for i in range(0, len(stream), k))
        row = [w for w in words if w < q][:n]
        if len(row) == n:
            return row


class Decoder:
    def __init__(self):
        self.params = None

    # Primitives.

    def take(self, n):
        must(0 <= n <= len(self.b) - self.at, "%d bytes wanted, %d left" % (n, len(self.b) - self.at))
        self.at += n
        return self.b[self.at - n : self.at]

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return struct.unpack("<I", self.take(4))[0]

    def u64(self):
        return struct.unpack("<Q", self.take(8))[0]

    def uvarint(self):
        x = shift = 0
        while True:
            b = self.u8()
            must(shift < 63 or b < 2, "integer too long")
            must(shift == 0 or b != 0, "integer not in its shortest form")
            x |= (b & 127) << shift
            if b < 128:
                return x
            shift += 7

    def varint(self):
        u = self.uvarint()
        return u >> 1 ^ -(u & 1)

    def string(self):
        return self.take(self.uvarint()).decode("utf-8")

    def scale(self):
        hi, _, exp = self.u64(), self.u64(), struct.unpack("<i", self.take(4))[0]
        must(hi >> 63 == 1 and -16512 < exp <= 16256, "scale")

    def limb(self, version, q):
        w = 64 if version == 1 else (q - 1).bit_length()
        raw = self.take((self.n * w + 7) // 8)
        words = []
        for i in range(0, self.n, 8):  # eight words are w bytes
            x = int.from_bytes(raw[i // 8 * w : (i // 8 + 1) * w], "little")
            words += [x >> (j * w) & ((1 << w) - 1) for j in range(8)]
        must(max(words) < q, "a word is not below its prime")
        return words

    def seed(self, version):
        """The flags and, if they say so, a seed."""
        flags = self.u8() if version > 1 else 0
        must(flags <= 1, "flags")
        return self.take(32) if flags else None

    def rows(self, level, special=True):
        """The index of each prime in Q, then P, and the prime."""
        out = list(enumerate(self.q))[: level + 1]
        return out + [(len(self.q) + i, p) for i, p in enumerate(self.p)] if special else out

    # Artefacts.

    def file(self, b):
        self.b, self.at = b, 0
        magic = self.take(4).decode("ascii")
        version = self.u8()
        newest = {"SGPA": 1, "SGCT": 2, "SGBU": 2, "SGEK": 2, "SGPK": 1, "SGSK": 1, "SGPR": 2, "SGCO": 1}
        must(magic in newest and 1 <= version <= newest[magic], "magic or version")
        if magic not in ("SGPA", "SGCO"):
            d = self.take(32)
            must(magic == "SGSK" or d == self.params, "parameters digest")
        kind, digest = {
            "SGPA": self.parameters, "SGCT": self.ciphertext, "SGBU": self.bundle, "SGEK": self.keys,
            "SGPK": self.public_key, "SGSK": self.secret_key, "SGPR": self.program, "SGCO": self.constants,
        }[magic](version)
        must(self.at == len(b), "%d bytes left" % (len(b) - self.at))
        return kind, digest

    def parameters(self, version):
        logn = self.u8()
        self.n = 1 << logn
        must(self.u8() == 0, "ring type")
        self.u8()  # security level
        flags, gaussian, hamming = self.u8(), self.u8(), self.u32()
        must(flags <= 1 and gaussian <= 1 and (flags == 1) == (hamming > 0), "secret")
        must(1 <= self.u8() <= 60, "default scale")
        nq, np = self.u8(), self.u8()
        must(len(self.b) == 17 + 16 * (nq + np), "size")
        self.q, self.p = [self.u64() for _ in range(nq)], [self.u64() for _ in range(np)]
        for q in self.q + self.p:
            must(q % (2 * self.n) == 1 and pow(self.u64(), self.n, q) == q - 1, "root of unity")
        self.gaussian = gaussian
        self.params = H(b"signet/parameters/v1", self.b)
        return "parameters", self.params

    def body(self, version):
        """A ciphertext body: its value digest."""
        degree, level, logslots = self.u8(), self.u8(), self.u8()
        must(degree <= 2 and level < len(self.q) and 2 << logslots <= self.n, "header of a ciphertext")
        start = self.at
        self.scale()
        scale = self.b[start : self.at]
        seed = self.seed(version)
        must(seed is None or degree == 1, "a seed for another degree than 1")
        limbs = []
        for part in range(degree + 1):
            for prime, q in self.rows(level, special=False):
                limbs.append(expand(seed, 0, prime, q, self.n) if seed and part == 1 else self.limb(version, q))
        head = self.params + b"c" + bytes([level, degree, logslots]) + scale
        return H(b"signet/value/v1", head, *map(limb_digest, limbs))

    def ciphertext(self, version):
        return "ciphertext", self.body(version)

    def bundle(self, version):
        head = self.params + self.take(16 + 32)
        ports, last = [], None
        for _ in range(self.uvarint()):
            name = self.string().encode("utf-8")
            must(last is None or name > last, "ports are not in order")
            last = name
            values = [self.body(version) for _ in range(self.uvarint())]
            ports += [H(b"signet/port/v1", name), tree(values)]
        return "bundle", H(b"signet/bundle/v1", head, *ports)

    def keys(self, version):
        head, digests, last = self.params + self.take(16), [], -1
        for _ in range(self.u32()):
            g, level = self.u64(), self.u8()
            must(g > last and (g == 0 or g % 2 == 1 and 1 < g < 2 * self.n), "Galois element")
            last = g
            seed = self.seed(version)
            rows, digits, limbs = self.rows(level), -(-(level + 1) // len(self.p)), []
            for d in range(digits):
                limbs += [self.limb(version, q) for _, q in rows]
                limbs += [expand(seed, d, i, q, self.n) if seed else self.limb(version, q) for i, q in rows]
            head_of_key = self.params + b"k" + bytes([level]) + struct.pack("<Q", g)
            digests.append(H(b"signet/key/v1", head_of_key, *map(limb_digest, limbs)))
        return "keys", H(b"signet/keys/v1", head, *digests)

    def public_key(self, version):
        head, seed = self.params + self.take(16), self.take(32)
        rows = self.rows(len(self.q) - 1)
        limbs = [self.limb(2, q) for _, q in rows] + [expand(seed, 0, i, q, self.n) for i, q in rows]
        return "public-key", H(b"signet/public-key/v1", head, *map(limb_digest, limbs))

    def secret_key(self, version):
        self.take(16)
        c = self.take(len(self.b) - 85)
        pairs = [x >> s & 3 for x in c for s in (0, 2, 4, 6)]
        must(3 not in pairs and len(pairs) & (len(pairs) - 1) == 0, "coefficients")
        must(2 < 6 * sum(map(bool, pairs)) / len(pairs) < 5, "coefficients that are not uniformly ternary")
        sum_ = self.take(32)
        must(sum_ == H(b"signet/secret-key/v1", self.b[5:-32]), "digest")
        return "secret-key", sum_

    def constants(self, version):
        digests = []
        for _ in range(self.uvarint()):
            start = self.at
            kind, logslots = self.u8(), self.u8()
            self.scale()
            rows, width = self.uvarint(), self.uvarint()
            must(1 <= rows <= 65536, "rows")
            must(kind == 1 and width == 2 << logslots or kind == 2 and logslots == 0 and 1 <= width <= 4096, "kind")
            for _ in range(rows):
                w = self.u8()
                must(1 <= w <= 63, "width")
                x = int.from_bytes(self.take((width * w + 7) // 8), "little")
                must(x >> (width * w) == 0, "padding")
                row = [x >> (i * w) & ((1 << w) - 1) for i in range(width)]
                row = [v - (v >> (w - 1) << w) for v in row]
                must(w == max((v if v >= 0 else ~v).bit_length() + 1 for v in row), "width is not the least")
            digests.append(H(b"signet/constant/v1", self.b[start : self.at]))
        must(len(set(digests)) == len(digests), "a constant twice")
        return "constants", H(*digests)  # a set has no digest of its own: this is that of its constants

    # Programs.

    def integer(self):
        u = self.uvarint()
        magnitude = self.take(u >> 1)
        must(magnitude[:1] != b"\x00" and (magnitude or u == 0), "integer")

    def port(self, version):
        self.string()
        count = self.uvarint()
        self.take(3)
        self.scale()
        must(struct.unpack("<d", self.take(8))[0] > 0, "bound")
        for _ in range(self.uvarint()):
            self.uvarint()
        for _ in range(self.uvarint()):
            self.uvarint(), self.uvarint(), self.varint(), self.uvarint(), self.varint(), self.uvarint()
        if version > 1:
            features = self.uvarint()
            if features:
                for _ in range(self.u8() * features):
                    must(struct.unpack("<dd", self.take(16))[1] > 0, "scale of a feature")
                must(struct.unpack("<d", self.take(8))[0] >= 0, "norm")
        return count

    def program(self, version):
        for _ in range(self.uvarint()):
            self.string()
        constants = self.uvarint()
        for _ in range(constants):
            self.take(32 + 2)
            self.scale()
            self.uvarint(), self.uvarint()
        # Fields: x operand, n uvarint, c constant, i integer, s scale, b byte.
        fields = {4: "xs", 5: "xb", 6: "xx", 7: "xx", 8: "x", 9: "xcn", 10: "xcn", 11: "xcn", 12: "xii", 13: "xiis",
                  14: "xxiiis", 16: "xx", 17: "x", 18: "xx", 19: "x", 20: "xn", 21: "x", 22: "xb", 23: "xnb"}
        ops = 0

        def operand():
            x = self.uvarint()
            must(1 <= x <= ops, "operand")

        def constant():
            must(self.uvarint() < constants, "constant")

        read = {"x": operand, "n": self.uvarint, "c": constant, "i": self.integer, "s": self.scale, "b": self.u8}
        while True:
            code = self.u8()
            if code == 0xFE:
                break
            if code == 0xFF:
                self.uvarint()
                continue
            made = 1
            if code == 1:
                made = self.port(version)
            elif code == 2:
                made = self.port(version)
                for _ in range(made):
                    operand()
            elif code == 3:
                self.take(3)
                self.scale()
            elif code == 15:
                for _ in range(self.uvarint()):
                    operand()
                    self.uvarint()
                constant()
                self.uvarint()
            elif code == 24:
                operand()
                constant()
                for _ in range(self.uvarint()):
                    self.uvarint(), self.uvarint()
                self.uvarint(), self.u8()
            elif code == 25:
                operand()
                for _ in range(self.uvarint()):
                    self.uvarint()
                self.u8()
            else:
                must(code in fields, "opcode %d" % code)
                for f in fields[code]:
                    read[f]()
            ops += made
        return "program", H(b"signet/program/v1", self.b)


def main(names):
    d = Decoder()
    for name in names:
        with open(name, "rb") as f:
            b = f.read()
        try:
            kind, digest = d.file(b)
        except (ValueError, AttributeError) as e:  # AttributeError: no parameters came before
            sys.exit("%s: %s" % (name, e))
        print(name, kind, digest.hex())


main(sys.argv[1:])
