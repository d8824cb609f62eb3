"""CrossEncoder behind FastAPI, as its users write it. Usage: <model folder> <port>. Runs in its own environment."""

import sys

import torch
import uvicorn
from fastapi import FastAPI  # type: ignore[import-not-found]
from pydantic import BaseModel
from sentence_transformers import CrossEncoder

model = CrossEncoder(sys.argv[1], device="cpu", activation_fn=torch.nn.Identity())
app = FastAPI()


class Rerank(BaseModel):
    query: str
    texts: list[str]


@app.post("/rerank")
def rerank(asked: Rerank) -> list[dict[str, int | float]]:
    scores = model.predict([(asked.query, text) for text in asked.texts], show_progress_bar=False)
    return [{"index": at, "score": float(score)} for at, score in enumerate(scores)]


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
