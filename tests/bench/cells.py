"""Cells with known numbers."""

from bench.cell import Cell, percentiles_ms
from bench.records import Cold, Interval, Latency, LatencyRatio, Memory, Size, Verdict

RUNS = tuple(range(1_000_000, 2_000_000, 10_000))


def timed(model: str = "a|b.onnx", target: str = "ort", *, ratio: float | None = None) -> Cell:
    """Return a cell whose runs took 1.00 to 1.99 ms."""
    interval = Interval(value=1.495e6, low=1.4e6, high=1.6e6)
    latency = Latency(
        label=model,
        runtime=target,
        threads=1,
        median_ns=interval,
        verdict=Verdict.STABLE,
        repeats=1,
        elapsed_ns=RUNS,
    )
    compared = ratio and LatencyRatio(
        baseline="first",
        ratio=Interval(value=ratio, low=ratio, high=ratio),
        verdict=Verdict.NOISY,
        rounds=100,
    )
    return Cell(
        model=model,
        target=target,
        size=Size(file_bytes=12_345, gzip_bytes=10_000),
        latency=latency,
        percentiles_ms=percentiles_ms(latency),
        ratio=compared or None,
        cold=Cold(process_ms=900, load_ms=12.3, first_ms=4.56),
        memory=Memory(bare_bytes=1, peak_bytes=20_000_001, added_bytes=20_000_000),
    )


def estimated() -> Cell:
    """Return what a simulated board answers."""
    spread = {"median": 20.0, "low80": 15.0, "high80": 25.0, "low90": 12.0, "high90": 30.0}
    return Cell(
        model="a.tflite",
        target="sim:board",
        size=Size(file_bytes=1000, gzip_bytes=900),
        estimate={"tier": "profile", "latency_ms": spread, "memory": None},
    )


def failed() -> Cell:
    """Return a refusal."""
    error = {"code": "EC603", "what": "no", "where": "", "expected": "", "try": ""}
    return Cell(model="a.tflite", target="ort", error=error)
