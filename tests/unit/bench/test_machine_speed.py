"""What `make bench` says of the machine beside each run."""

from __future__ import annotations

from bench import __main__ as bench
from bench.reference import MachineSpeed, round_us

RUN = bench.Run(
    rate=12_000.0,
    array=1,
    seconds=40.0,
    sent_per_s=12_000.0,
    stored=480_000,
    lost=0,
    behind_s=0.0,
    drain_s=0.1,
    lag_growth_per_s=0.0,
    lag_growth_error_per_s=1.0,
    latency_p50_ms=170.0,
    latency_p99_ms=360.0,
    onset_p99_ms=300.0,
    cpu_us_per_reading=dict.fromkeys(bench.STAGES, 3.0) | {"worker": 54.0},
    cores_busy=1.65,
    machine=MachineSpeed(1.4, 2.0, 1.6),
)


def test_a_round_is_a_time_of_this_machine() -> None:
    """Plain Python takes some microseconds for it on any machine we know."""
    assert 0.1 < round_us() < 100.0


def test_a_run_is_told_in_rounds_of_the_loop_that_ran_beside_it() -> None:
    """Half the speed gives twice the time and the same rounds."""
    found = bench.document(RUN)
    assert found["reference_loop_us"] == {"before_us": 1.4, "beside_us": 2.0, "after_us": 1.6}
    assert found["cpu_rounds_per_reading"]["worker"] == 27.0
    with bench.console.capture() as shown:
        bench.show(RUN)
    text = " ".join(shown.get().split())
    assert "1.40 µs before, 2.00 beside, 1.60 after" in text
    assert "worker 27.0" in text
