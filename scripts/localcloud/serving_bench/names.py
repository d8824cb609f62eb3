"""What everybody who is measured is called, in options and in reports."""

OURS = "hybrid-serving"
SENTENCE_TRANSFORMERS = "sentence-transformers"
INFINITY = "infinity"
OPENVINO = "openvino"
PEERS = (SENTENCE_TRANSFORMERS, INFINITY, OPENVINO)
