"""What Quiver is measured against: scikit-learn, ONNX Runtime, and ONNX Runtime behind a Python gRPC service.

``rival.py FOLDER`` fits the pipeline where it is not there, says "ready" with the ways in turn, and then answers
commands, a line each: ``time SIDE ROWS SECONDS`` with the seconds of one call, ``verify SIDE ROWS`` with the largest
difference between ONNX Runtime and scikit-learn. ``rival.py FOLDER serve WAY`` serves on a free port of 127.0.0.1 and
says which.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent.parent / "python" / "src"
sys.path.insert(0, str(PACKAGE))

import converted  # noqa: E402
import fitted  # noqa: E402
import graph  # noqa: E402
import grpc  # noqa: E402
import joblib  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import sklearn  # noqa: E402
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: E402
from onnx import helper, numpy_helper  # noqa: E402

warnings.simplefilter("ignore")
onnxruntime.set_default_logger_severity(3)

COMPARED = 3
"""Requests of each shape that Quiver's answers are compared with scikit-learn's on."""


def load(folder: Path) -> tuple[Any, dict[int, list[Any]]]:
    """The fitted pipeline and the requests' rows; fitted anew where anything that they are made by changed."""
    files = [HERE / "fitted.py", Path(__file__), *sorted((PACKAGE / "quiver_features").rglob("*.py"))]
    made_by = hashlib.sha256(sklearn.__version__.encode() + b"".join(file.read_bytes() for file in files)).hexdigest()
    kept, stamp = folder / "fitted.joblib", folder / "made-by.txt"
    if kept.exists() and stamp.exists() and stamp.read_text() == made_by:
        return joblib.load(kept)
    folder.mkdir(parents=True, exist_ok=True)
    source = fitted.Source()
    pipeline = fitted.fit(source)
    fitted.publish(pipeline, source, folder)
    requests = {rows: [source.rows(rows) for _ in range(count)] for rows, count in fitted.REQUESTS.items()}
    for rows, frames in requests.items():
        for dictionaries, name in ((False, "plain"), (True, "dictionary")):
            messages = [fitted.request(frame, dictionaries) for frame in frames]
            fitted.write_messages(folder / f"{rows}-{name}.bin", messages)
        fitted.write_messages(folder / f"{rows}-onnx.bin", [written(frame) for frame in frames])
        expected = [pipeline.transform(frame).astype("<f4").tobytes() for frame in frames[:COMPARED]]
        fitted.write_messages(folder / f"{rows}-expected.bin", expected)
    (folder / "converted.onnx").unlink(missing_ok=True)
    joblib.dump((pipeline, requests), kept)
    stamp.write_text(made_by)
    return pipeline, requests


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def arrays(frame: Any) -> dict[str, Any]:
    """The graph's inputs; a missing text is the empty one, which is no category."""
    feeds = {"numbers": frame[fitted.NUMBERS].to_numpy(np.float32)}
    return feeds | {name: frame[name].fillna("").to_numpy(object) for name in fitted.TEXTS}


def tensors(feeds: dict[str, Any]) -> dict[str, Any]:
    """The same as ONNX Runtime's own tensors, for which Python's strings need not be converted in a call.

    They can't be made of strings directly: a model of nothing but constants gives them.
    """
    constants = [numpy_helper.from_array(values, f"constant_{name}") for name, values in feeds.items()]
    nodes = [helper.make_node("Identity", [f"constant_{name}"], [name]) for name in feeds]
    outputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(values.dtype), values.shape)
        for name, values in feeds.items()
    ]
    made = helper.make_graph(nodes, "constants", [], outputs, constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    binding = (giving := session(model.SerializeToString())).io_binding()
    for name in feeds:
        binding.bind_output(name, "cpu")
    giving.run_with_iobinding(binding)
    return dict(zip(feeds, binding.get_outputs(), strict=True))


def seconds_each(seconds: float, calls: list[Callable[[], Any]]) -> float:
    """Seconds of one call, measured over about ``seconds``."""
    start = time.perf_counter()
    for count, call in enumerate(itertools.cycle(calls), 1):
        call()
        elapsed = time.perf_counter() - start
        if count >= 3 and elapsed >= seconds:
            return elapsed / count
    raise AssertionError("there are calls")


class Sides:
    """Everything that can be timed, made ready when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pipeline, self.requests = load(folder)
        sessions = {way: session(graph.build(self.pipeline, way)) for way in graph.WAYS}
        feeds = [tensors(arrays(frame)) for frame in self.requests[500][:5]]
        took = {}
        for way, one in sessions.items():
            calls = [partial(one.run_with_ort_values, ["dense"], each) for each in feeds]
            took[way] = min(seconds_each(0.1, calls) for _ in range(3))
        self.way = min(took, key=lambda way: took[way])
        self.session = sessions[self.way]
        self.calls: dict[tuple[str, int], list[Callable[[], Any]]] = {}

    def time(self, side: str, rows: int, seconds: float) -> float:
        calls = self.calls.get((side, rows)) or self.calls.setdefault((side, rows), self._calls(side, rows))
        return seconds_each(seconds, calls)

    @cached_property
    def converted(self) -> onnxruntime.InferenceSession:
        """The model that a converter makes, which is kept: it takes minutes."""
        kept = self.folder / "converted.onnx"
        if not kept.exists():
            kept.write_bytes(converted.convert(self.pipeline))
        return session(kept.read_bytes())

    def verify(self, side: str, rows: int) -> float:
        frame = self.requests[rows][0]
        if side == "converted":
            found = self.converted.run(None, converted.arrays(frame))[0]
        else:
            found = self.session.run(None, arrays(frame))[0]
        return float(np.abs(found - self.pipeline.transform(frame)).max())

    def _calls(self, side: str, rows: int) -> list[Callable[[], Any]]:
        frames = self.requests[rows]
        if side == "sklearn":
            return [partial(self.pipeline.transform, frame) for frame in frames]
        if side == "arrays":
            return [partial(self.session.run, None, arrays(frame)) for frame in frames]
        model, feeds = (self.converted, converted.arrays) if side == "converted" else (self.session, arrays)
        output = [model.get_outputs()[0].name]
        return [partial(model.run_with_ort_values, output, tensors(feeds(frame))) for frame in frames]


def _messages() -> tuple[Any, Any]:
    """``Rows``: the numbers' bytes and all texts, column by column. ``Dense``: the answer's bytes."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="bench.proto", package="bench", syntax="proto3")
    for name, fields in (
        ("Rows", [("numbers", kinds.TYPE_BYTES, False), ("texts", kinds.TYPE_STRING, True)]),
        ("Dense", [("data", kinds.TYPE_BYTES, False)]),
    ):
        message = file.message_type.add(name=name)
        for number, (field, kind, repeated) in enumerate(fields, 1):
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            message.field.add(name=field, number=number, type=kind, label=label)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    classes = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"bench.{name}")) for name in ("Rows", "Dense")
    )
    return tuple(classes)


Rows, Dense = _messages()


def written(frame: Any) -> bytes:
    feeds = arrays(frame)
    texts = [text for name in fitted.TEXTS for text in feeds[name]]
    return Rows(numbers=feeds["numbers"].tobytes(), texts=texts).SerializeToString()


def serve(folder: Path, way: str) -> None:
    """Answers until its input is closed."""
    model = session(graph.build(load(folder)[0], way))
    names = fitted.TEXTS

    def run(request: Any, _context: Any) -> Any:
        numbers = np.frombuffer(request.numbers, "<f4").reshape(-1, len(fitted.NUMBERS))
        texts = np.array(request.texts, object).reshape(len(names), -1)
        feeds = {"numbers": numbers} | dict(zip(names, texts, strict=True))
        return Dense(data=model.run(None, feeds)[0].tobytes())

    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(max_workers=2), options=unlimited)
    handler = grpc.unary_unary_rpc_method_handler(run, Rows.FromString, Dense.SerializeToString)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Onnx", {"Run": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


def main() -> None:
    folder = Path(sys.argv[1])
    # On the first core, as Quiver when it is measured.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if sys.argv[2:3] == ["serve"]:
        return serve(folder, sys.argv[3])
    # What checks cost is no part of the arithmetic.
    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    sides = Sides(folder)
    versions = f"scikit-learn {sklearn.__version__}, onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}"
    print(f"ready {sides.way} {versions}", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["time", side, rows, seconds]:
                print(sides.time(side, int(rows), float(seconds)), flush=True)
            case ["verify", side, rows]:
                print(sides.verify(side, int(rows)), flush=True)


if __name__ == "__main__":
    main()
