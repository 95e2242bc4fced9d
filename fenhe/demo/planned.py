"""What crews tell operators before they work at a demo's base stations: a window of maintenance for each capacity test.

A test (核对性放电) turns the rectifier back, and mains that is on while the sets carry the site looks like a rectifier
that failed: without a plan every test is an alarm. Planned is maintenance of the power system alone, until the crew has
left: an alarm of the sets, of smoke or of water is one meanwhile, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.truth import LabelKind

if TYPE_CHECKING:
    from psycopg import Connection

    from simulators.scenes.scene import Scene

CREW = "capacity test crew"
_PLAN = """
SELECT count(maintenance_plan(t.site_id, d.device_id, to_timestamp(t.from_ms / 1e3), to_timestamp(t.to_ms / 1e3),
                              %(crew)s, '核对性放电 capacity test'))
FROM unnest(%(sites)s::text[], %(begins)s::float8[], %(ends)s::float8[]) AS t (site_id, from_ms, to_ms)
JOIN device d ON d.site_id = t.site_id AND d.kind = 'site_power'
WHERE NOT EXISTS (SELECT FROM maintenance m WHERE m.site_id = t.site_id AND m.planned_by = %(crew)s
                  AND m.starts_at = to_timestamp(t.from_ms / 1e3))
"""


def plan_tests(connection: Connection, scene: Scene) -> int:
    """Plan the tests of a scene at power systems that are registered, each once; how many are new."""
    tests = [label for label in scene.labels() if label.kind is LabelKind.CAPACITY_TEST and label.end_ts is not None]
    columns = {
        "sites": [label.site_id for label in tests],
        "begins": [float(label.start_ts) for label in tests],
        "ends": [float(label.end_ts or 0) for label in tests],
    }
    ((planned,),) = connection.execute(_PLAN, {"crew": CREW, **columns}).fetchall()
    return int(planned)
