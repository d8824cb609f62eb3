"""OpenVINO without a server: batches of even length. Runs in its own environment.

Requests are a file with [[query, [text, ...]], ...].
convert <model folder> <file.xml>                       write the model
run <model folder> <file.xml> <requests> <seconds>      go round them for so long, with the fastest of several batch
    sizes, numbers of streams and precisions, each tried first; prints {"pairs_per_second", "setting"}
"""

import json
import sys
import time
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path

import numpy as np
import openvino  # type: ignore[import-not-found]
import openvino.properties as properties  # type: ignore[import-not-found]
import openvino.properties.hint as hint  # type: ignore[import-not-found]
from tokenizers import Tokenizer

NAMES = ("input_ids", "attention_mask", "token_type_ids")
TRIED = list(product((4, 8, 16), (1, 2), ("bf16", "f32")))


def convert(folder: str, target: str) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    example = {name: torch.ones(2, 16, dtype=torch.int64) for name in NAMES}
    openvino.save_model(openvino.convert_model(model, example_input=example), target, compress_to_fp16=False)


class Scorer:
    """Scores of one list, with `streams` batches at a time."""

    def __init__(self, folder: str, file: str, batch: int, streams: int, precision: str) -> None:
        self.tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
        self.tokenizer.no_padding()
        limit = json.loads((Path(folder) / "tokenizer_config.json").read_text())["model_max_length"]
        self.tokenizer.enable_truncation(limit, strategy="longest_first")
        config = {hint.inference_precision: getattr(openvino.Type, precision), properties.num_streams: streams}
        compiled = openvino.Core().compile_model(file, "CPU", config)
        self.queue = openvino.AsyncInferQueue(compiled, streams)
        self.queue.set_callback(self._store)
        self.batch = batch

    def __call__(self, query: str, texts: list[str]) -> list[float]:
        encodings = self.tokenizer.encode_batch([(query, text) for text in texts])
        order = sorted(range(len(texts)), key=lambda at: len(encodings[at].ids))
        self.found = np.zeros(len(texts), dtype=np.float32)
        for first in range(0, len(order), self.batch):
            rows = order[first : first + self.batch]
            inputs = np.zeros((3, len(rows), len(encodings[rows[-1]].ids)), dtype=np.int64)
            for row, at in enumerate(rows):
                one = encodings[at]
                inputs[:, row, : len(one.ids)] = one.ids, one.attention_mask, one.type_ids
            self.queue.start_async(dict(zip(NAMES, inputs, strict=True)), rows)
        self.queue.wait_all()
        return [float(score) for score in self.found]

    def _store(self, request: openvino.InferRequest, rows: list[int]) -> None:
        self.found[rows] = request.get_output_tensor(0).data[:, 0]

    def speed(self, requests: list[tuple[str, list[str]]], seconds: float) -> float:
        """Pairs per second."""
        began, pairs = time.perf_counter(), 0
        for query, texts in cycle(requests):
            self(query, texts)
            pairs += len(texts)
            if (passed := time.perf_counter() - began) >= seconds:
                return pairs / passed
        raise AssertionError("no requests")


def run(folder: str, file: str, requests_file: str, seconds: str) -> None:
    requests = json.loads(Path(requests_file).read_text())
    scorers = {tried: Scorer(folder, file, *tried) for tried in TRIED}
    for scorer in scorers.values():
        scorer.speed(requests, 1.0)  # shapes are compiled when they first come
    speeds = {tried: scorer.speed(requests, 1.0) for tried, scorer in scorers.items()}
    best = max(speeds, key=lambda tried: speeds[tried])
    speed = scorers[best].speed(requests, float(seconds))
    print(json.dumps({"pairs_per_second": speed, "setting": f"batches of {best[0]}, {best[1]} streams, {best[2]}"}))


VERBS: dict[str, Callable[..., None]] = {"convert": convert, "run": run}
VERBS[sys.argv[1]](*sys.argv[2:])
