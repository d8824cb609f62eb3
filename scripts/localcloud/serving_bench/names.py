"""What everybody who is measured is called, in options and in reports."""

OURS = "hybrid-serving"
OURS_INT8 = "hybrid-serving-int8"
SENTENCE_TRANSFORMERS = "sentence-transformers"
INFINITY = "infinity"
INFINITY_FP32 = "infinity-fp32"
OPENVINO = "openvino"
PEERS = (SENTENCE_TRANSFORMERS, INFINITY, INFINITY_FP32, OPENVINO, OURS_INT8)
