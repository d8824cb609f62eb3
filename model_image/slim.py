"""Run once while the image is built: remove installed files that serving never loads, and compile what it does.

What is listed was found by removing it and running both engines (packed, transformers) and the server on a
CPU, and by reading which libraries torch's CUDA library links to. All that a GPU run loads on demand stays, even
where it looks unused here: cuDNN's engines, NVRTC, NCCL, NVSHMEM's host library. A pattern that matches nothing ends
the build, so a newer package cannot make the image grow unseen.
"""

import py_compile
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

REMOVED: tuple[tuple[str, str, str], ...] = (
    # what                                      MB  why it is safe
    ("triton", "721", "compiler behind torch.compile; eager execution never imports it"),
    ("nvidia/cu13/lib/libnvrtc*.alt.so.*", "114", "alternative NVRTC, used only by programs that link to it by name"),
    ("nvidia/cu13/lib/libcusolverMg.so.*", "104", "multi-GPU solver; torch links to libcusolver alone"),
    ("torch/include", "40", "headers for building extensions"),
    ("nvidia/cu13/lib/libnvperf_*.so", "38", "profiling counters, loaded by profilers alone"),
    ("nvidia/nvshmem/lib/*.bc", "31", "device code to compile own kernels against"),
    ("botocore/data/*/", "20", "descriptions of AWS services other than those in KEPT"),
    ("hf_xet", "11", "downloads from a model hub; a release comes from the registry"),
    ("pip", "15", "nothing is installed later"),
    ("nvidia/*/include", "11", "headers"),
    ("torch/bin/protoc*", "11", "compiler for protocol buffers"),
)
KEPT = frozenset({"s3", "sts", "ecr", "autoscaling", "cloudwatch"})
"""Of what the patterns match: what the AWS SDK needs to read the registry, to get credentials, those for pulling images
too (`model_image.pull_secrets`), and what the instance's agent (`model_image.instance`) calls."""

LOADED = ("torch", "torch.nn.attention.varlen", "numpy", "safetensors.torch", "tokenizers", "faiss", "boto3", "msgspec",
          "prometheus_client", "starlette.applications", "uvicorn.protocols.http.h11_impl",
          "uvicorn.lifespan.on")  # fmt: skip
"""Imported at every start, the second one with a GPU: 800 modules, of which none needs triton. They and what they
import are compiled here: the root file system of a running server is read-only, and compiling anew at every start costs
seconds. The transformers package stays uncompiled."""


def remove(site: Path) -> None:
    """Delete what `REMOVED` names in the folder `site` and print how many MB went. Raises `SystemExit`."""
    for pattern, _, why in REMOVED:
        found = [path for path in site.glob(pattern) if path.name not in KEPT]
        if not found:
            raise SystemExit(f"{pattern}: matches nothing in {site}; the package changed, look again what can go")
        size = 0
        for path in found:
            size += sum(file.lstat().st_size for file in path.rglob("*")) if path.is_dir() else path.lstat().st_size
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        print(f"{size / 1e6:6.0f} MB  {pattern}: {why}", flush=True)


def compile_loaded(site: Path) -> None:
    """Compile the modules of `LOADED`, by hash and not by date: the image is the same whenever it is built."""
    listing = (
        f"import sys, {', '.join(LOADED)}\n"
        "for module in list(sys.modules.values()): print(getattr(module, '__file__', None) or '')"
    )
    command = [sys.executable, "-B", "-c", listing]
    modules = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    for module in modules:
        if module.endswith(".py") and Path(module).is_relative_to(site):
            py_compile.compile(module, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


if __name__ == "__main__":
    packages = Path(sysconfig.get_paths()["purelib"])
    remove(packages)
    compile_loaded(packages)
