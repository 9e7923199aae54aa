"""What runs on a device: one file that needs Python 3.8, numpy, a runtime, and nothing of ours.

It is not stored there: ``python3 -c`` reads it from standard input and executes it. It then writes
a line that says what the device is, reads a job (a JSON line and the bytes that it lists), runs it
in a child process, and answers in one line. Its folder is removed whatever happens: the child may
crash, and when the connection is lost standard input ends, which is watched.
"""

from __future__ import annotations

import base64
import errno
import gc
import glob
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import threading
import time
import zipfile
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, Optional, Tuple

Message = Dict[str, Any]
Arrays = Dict[str, Any]
Call = Callable[[], Any]
Number = Optional[float]
Times = List[List[int]]
Heat = List[Tuple[float, Number, Number]]

MARK = "edgec1 "
CHUNK = 1 << 20
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SHORTEST_SAMPLE_NS = 200_000
WARM_RUNS, WARM_SHARE = 3, 0.2
LITERT = ("ai_edge_litert", "tflite_runtime", "tensorflow")


class JobError(Exception):
    """What went wrong: its kind for the other side, and a sentence."""


def say(message: Message) -> None:
    """Write *message* as one line behind the mark that tells it from what others print."""
    line = (MARK + json.dumps(message) + "\n").encode()
    while line:
        line = line[os.write(REPLIES, line) :]


def facts() -> Message:
    """Describe the device: cheap, and nothing heavy is imported."""
    runtimes = {"ort": "onnxruntime", "litert": next(filter(present, LITERT), "")}
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system() + " " + platform.release(),
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "runtimes": {name: module for name, module in runtimes.items() if present(module)},
    }


def present(module: str) -> bool:
    return bool(module) and importlib.util.find_spec(module) is not None


def cpu_name() -> str:
    board = read("/proc/device-tree/model").strip("\0\n ")
    named = [r for r in read("/proc/cpuinfo").splitlines() if r.startswith("model name")]
    return board or (named[0].partition(":")[2].strip() if named else platform.processor())


def read(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def celsius() -> Number:
    """Return the highest temperature of any zone."""
    return highest("/sys/class/thermal/thermal_zone*/temp")


def megahertz() -> Number:
    """Return the highest frequency of any core."""
    return highest("/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")


def highest(pattern: str) -> Number:
    """Return the largest number in files that count thousandths; None where there is none."""
    texts = [read(file).strip() for file in glob.glob(pattern)]
    return max((int(t) / 1000 for t in texts if t.lstrip("-").isdigit()), default=None)


def peak_bytes() -> int:
    rows = read("/proc/self/status").splitlines()
    return max((int(r.split()[1]) * 1024 for r in rows if r.startswith("VmHWM:")), default=0)


def exactly(stream: BinaryIO, count: int) -> Iterator[bytes]:
    """Yield *count* bytes of *stream* in pieces."""
    while count:
        piece = stream.read(min(CHUNK, count))
        if not piece:
            raise JobError("lost", "the connection ended amid the job")
        count -= len(piece)
        yield piece


def store(stream: BinaryIO, path: str, count: int, digest: str = "") -> None:
    """Write *count* bytes to *path* and hold them against their *digest*."""
    found = hashlib.sha256()
    with open(path, "wb") as file:
        for piece in exactly(stream, count):
            file.write(piece)
            found.update(piece)
    if digest and found.hexdigest() != digest:
        raise JobError("lost", "the model arrived damaged")


def receive(stream: BinaryIO, job: Message, folder: str) -> None:
    """Store wheels, models and their inputs, in the order in which *job* lists them."""
    packages = os.path.join(folder, "packages")
    for wheel in job["wheels"]:
        path = os.path.join(folder, "wheel.zip")
        store(stream, path, wheel["bytes"])
        with zipfile.ZipFile(path) as archive:
            archive.extractall(packages)
        os.remove(path)
    sys.path[:0] = [packages] if job["wheels"] else []
    for number, model in enumerate(job["models"]):
        model["path"] = os.path.join(folder, str(number) + model["suffix"])
        store(stream, model["path"], model["bytes"], model["sha256"])
        for spec in model["inputs"].values():
            spec["data"] = b"".join(exactly(stream, spec["bytes"]))


class Ort:
    def __init__(self, path: str, settings: Message) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = settings["threads"]
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not settings["optimize"]:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.names = [output.name for output in self.session.get_outputs()]
        self.fixed = [value.shape[0] for value in self.session.get_inputs() if value.shape]

    def bind(self, feeds: Arrays) -> Call:
        binding = self.session.io_binding()
        for name, array in feeds.items():
            binding.bind_cpu_input(name, array)
        for name in self.names:
            binding.bind_output(name)
        self.held = feeds
        return lambda: self.session.run_with_iobinding(binding)

    def run(self, feeds: Arrays) -> List[Any]:
        found: List[Any] = self.session.run(self.names, feeds)
        return found


class LiteRt:
    def __init__(self, path: str, settings: Message) -> None:
        package = next(filter(present, LITERT))
        if package == "tensorflow":
            from tensorflow import lite
        else:
            lite = importlib.import_module(package + ".interpreter")
        plain: Message = {}
        if not settings["optimize"]:
            kind = lite.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            plain = {"experimental_op_resolver_type": kind}
        self.interpreter = lite.Interpreter(path, num_threads=settings["threads"], **plain)
        self.interpreter.allocate_tensors()
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()
        self.fixed = [
            int(size) if size > 0 else "batch"
            for size in (detail["shape_signature"][0] for detail in self.inputs)
        ]

    def bind(self, feeds: Arrays) -> Call:
        """*feeds* are in the order of the file's inputs."""
        for detail, array in zip(self.inputs, feeds.values()):
            if tuple(detail["shape"]) != array.shape:
                self.interpreter.resize_tensor_input(detail["index"], array.shape)
        self.interpreter.allocate_tensors()
        for detail, array in zip(self.inputs, feeds.values()):
            self.interpreter.set_tensor(detail["index"], array)
        call: Call = self.interpreter.invoke
        return call

    def run(self, feeds: Arrays) -> List[Any]:
        self.bind(feeds)()
        return [self.interpreter.get_tensor(detail["index"]) for detail in self.outputs]


RUNTIMES: Dict[str, Callable[..., Any]] = {"ort": Ort, "litert": LiteRt}


def arrays_of(model: Message) -> Arrays:
    import numpy as np

    return {
        name: np.frombuffer(spec["data"], spec["dtype"]).reshape(spec["shape"]).copy()
        for name, spec in model["inputs"].items()
    }


def answers(session: Any, samples: Arrays) -> List[Any]:
    """Run *samples* one by one, or as many at a time as the model takes."""
    import numpy as np

    count = len(next(iter(samples.values())))
    step = batch_of(session)
    parts = []
    for start in range(0, count, step):
        rows = [min(index, count - 1) for index in range(start, start + step)]
        found = session.run({name: array[rows] for name, array in samples.items()})
        parts.append([by_sample(array, step)[: count - start] for array in found])
    return [np.ascontiguousarray(np.concatenate(rows)) for rows in zip(*parts)]


def batch_of(session: Any) -> int:
    """Return how many samples the model takes at once, 1 where any number will do."""
    return max([size for size in session.fixed if isinstance(size, int)] or [1])


def by_sample(array: Any, step: int) -> Any:
    return array if array.ndim and len(array) == step else array[None]


def packed(array: Any) -> Message:
    data = base64.b64encode(array.tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def sample(call: Call, repeats: int) -> int:
    start = time.perf_counter_ns()
    for _ in range(repeats):
        call()
    return time.perf_counter_ns() - start


def warmed(call: Call, seconds: float) -> int:
    """Run until several runs bring no new best time; return how many make one sample."""
    best, without_gain, deadline = sample(call, 1), 0, time.perf_counter() + seconds
    while without_gain < WARM_RUNS and time.perf_counter() < deadline:
        now = sample(call, 1)
        without_gain = 0 if now < 0.98 * best else without_gain + 1
        best = min(best, now)
    return -(-SHORTEST_SAMPLE_NS // max(1, best))


def interleaved(calls: List[Call], settings: Message) -> Tuple[List[int], Times, Heat]:
    """Return repeats, and the samples of each call: every round runs each once, in a new order."""
    import numpy as np

    seconds, random = settings["seconds"], np.random.default_rng(settings["seed"])
    repeats = [warmed(call, WARM_SHARE * seconds / len(calls)) for call in calls]
    pause = settings["pause_s"]  # a rested processor: each sample is one run
    repeats = [1] * len(calls) if pause else repeats
    elapsed: Times = [[] for _ in calls]
    heat: Heat = []
    deadline = time.perf_counter() + seconds
    gc.disable()
    while len(elapsed[0]) < settings["max_rounds"]:
        if len(elapsed[0]) >= settings["min_rounds"] and time.perf_counter() > deadline:
            break
        for index in random.permutation(len(calls)):
            if pause:
                time.sleep(pause)
            elapsed[index].append(sample(calls[index], repeats[index]))
        if not heat or time.perf_counter() - heat[-1][0] > 1:
            heat.append((time.perf_counter(), celsius(), megahertz()))
    return repeats, elapsed, heat


def work(job: Message) -> Message:
    """Do the job in this process and return the answer."""
    settings = job["settings"]
    if settings["cores"]:
        os.sched_setaffinity(0, settings["cores"])
    before, sessions, results = (celsius(), megahertz()), [], []
    for model in job["models"]:
        kind = model["runtime"]
        start = time.perf_counter_ns()
        session = RUNTIMES[kind](model["path"], settings)
        loaded = time.perf_counter_ns()
        samples = arrays_of(model)
        step = batch_of(session)
        feeds = {name: array[:1].repeat(step, 0) for name, array in samples.items()}
        call = session.bind(feeds)
        first = sample(call, 1)
        found = [packed(array) for array in answers(session, samples)]
        sessions.append(session.bind(feeds))
        results.append({"load_ns": loaded - start, "first_ns": first, "outputs": found})
    repeats, elapsed, heat = interleaved(sessions, settings)
    for result, count, times in zip(results, repeats, elapsed):
        result.update(repeats=count, elapsed_ns=times)
    return {
        "results": results,
        "peak_bytes": peak_bytes(),
        "celsius": [before[0], *(row[1] for row in heat), celsius()],
        "megahertz": [before[1], *(row[2] for row in heat), megahertz()],
        "versions": versions(),
    }


def versions() -> Message:
    loaded = [name for name in ("numpy", "onnxruntime", *LITERT) if name in sys.modules]
    return {name: getattr(sys.modules[name], "__version__", "present") for name in loaded}


def attempt(job: Message, answer_file: str) -> None:
    """In the child: work, and leave the answer or the reason in a file."""
    try:
        answer = work(job)
    except OSError as error:
        kind = "disk" if error.errno in FULL_DISK else "refused"
        answer = {"error": kind, "what": str(error)}
    except ImportError as error:
        answer = {"error": "runtime", "what": str(error)}
    except Exception as error:  # noqa: BLE001 - the edge of a process: everything is reported
        answer = {"error": "refused", "what": type(error).__name__ + ": " + str(error)}
    with open(answer_file, "w", encoding="utf-8") as file:
        json.dump(answer, file)


def supervised(job: Message, folder: str) -> Message:
    """Do the job in a child, which a bad model may crash, and return the answer."""
    answer_file = os.path.join(folder, "answer.json")
    child = os.fork()
    if child == 0:
        attempt(job, answer_file)
        os._exit(0)
    watch(child, folder)
    try:
        _, status = os.waitpid(child, 0)
    except SystemExit:  # told to end
        os.kill(child, signal.SIGKILL)
        raise
    if os.path.exists(answer_file) and os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        with open(answer_file, encoding="utf-8") as file:
            answer: Message = json.load(file)
        return answer
    killed = os.WIFSIGNALED(status)
    how = "was killed by signal %d" if killed else "ended with status %d"
    what = how % (os.WTERMSIG(status) if killed else os.WEXITSTATUS(status))
    return {"error": "crashed", "what": what}


def watch(child: int, folder: str) -> None:
    """End everything when standard input does: the other side has gone."""

    def until_the_end() -> None:
        while os.read(0, CHUNK):
            pass
        os.kill(child, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=until_the_end, daemon=True).start()


def main() -> None:
    """Greet, receive a job, answer, and leave nothing behind."""
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, lambda *_: sys.exit(1))
    stream, folder = sys.stdin.buffer, None
    try:
        say(facts())
        job = json.loads(stream.readline() or b"{}")
        if not job:
            return
        folder = tempfile.mkdtemp(prefix="edgec-", dir=job["folder"] or None)
        receive(stream, job, folder)
        say(supervised(job, folder))
    except JobError as error:
        say(dict(zip(("error", "what"), error.args)))
    except OSError as error:
        say({"error": "disk" if error.errno in FULL_DISK else "folder", "what": str(error)})
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


REPLIES = os.dup(1)
os.dup2(2, 1)  # what libraries print must not stand among the answers
main()
