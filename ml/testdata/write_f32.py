# Writes xor_f32.safetensors: a model of package ml made without Go, in F32.
# The layout is that of the safetensors library; the standard library suffices.
import json, struct

tensors = {"w1": ([2, 2], [1, 1, 1, -1]), "b1": ([2], [0, 0]), "w2": ([1, 2], [0, 1]), "b2": ([1], [-0.5])}
layers = [{"kind": "dense", "weight": "w1", "bias": "b1"}, {"kind": "square"}, {"kind": "dense", "weight": "w2", "bias": "b2"}]
signet = {"schema": "signet/model/v1", "input": [2], "layers": layers, "classes": ["same", "different"]}
header, body = {"__metadata__": {"signet": json.dumps(signet)}}, b""
for name, (shape, values) in tensors.items():
    data = struct.pack("<%df" % len(values), *values)
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
    body += data
head = json.dumps(header).encode()
head += b" " * (-len(head) % 8)
open("xor_f32.safetensors", "wb").write(struct.pack("<Q", len(head)) + head + body)
