"""What names say: the ontology on names as scrapers and libraries write them."""

import pytest

from rootward.model.kind import Kind, harmful_direction, kind_of, resource_of, unit_of

NAMES = {
    Kind.LATENCY: (
        "http.server.request.duration", "istio_request_duration_milliseconds_p90", "responseTime",
        "grpc_server_handling_seconds_p90", "client_latency_p99", "db.client.operation.duration",
        "http_request_duration_seconds_mean", "latency_p95_seconds", "lat_99",
    ),
    Kind.ERRORS: (
        "http_responses_5xx_rate", "errorCount", "success_rate", "availability_Average", "up",
        "kube_pod_container_status_restarts_total", "http_requests_errors_ratio",
        "container_network_receive_errors_rate", "rpc_server_cancelled_rate",
    ),
    Kind.TRAFFIC: (
        "istio_requests_rate", "workload", "qps", "http_requests_per_second", "requests_Sum",
        "grpc_server_handled_rate", "redis_keyspace_hits",
    ),
    Kind.UTILISATION: (
        "container_cpu_usage_seconds_rate", "node_memory_MemAvailable_bytes", "jvm.gc.duration",
        "container_memory_working_set_bytes", "process.cpu.utilization", "container_fs_inodes_free",
        "process_resident_memory_bytes", "node_vmstat_pgfault", "container_memory_failures_total",
        "system.memory.usage", "node_network_receive_bytes_rate",
    ),
    Kind.SATURATION: (
        "node_load1", "http.server.active_requests", "kafka_consumer_records_lag_max",
        "go_goroutines",
        "container_cpu_cfs_throttled_seconds_rate", "rabbitmq_queue_messages_ready",
        "container_oom_events_total", "node_pressure_cpu_waiting_seconds_rate", "disk_read_latency",
        "db_pool_wait_seconds_p99", "process_open_fds", "lock_wait_seconds_mean",
    ),
    Kind.OTHER: (
        "process_start_time_seconds", "kube_deployment_status_replicas_available", "cpu_limit",
        "node_boot_time_seconds", "wobbliness",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(k, n) for k, names in NAMES.items() for n in names])
def test_a_name_tells_its_kind(kind, name):
    assert kind_of(name) is kind


@pytest.mark.parametrize(
    ("name", "direction"),
    [
        ("latency_p99", 1),
        ("success_rate", -1),
        ("node_memory_MemAvailable_bytes", -1),
        ("cache_hit_ratio", -1),
        ("requests_per_second", 0),
        ("rabbitmq_queue_messages_ready", 1),
        ("cpu_usage", 1),
    ],
)
def test_a_name_tells_which_direction_harms(name, direction):
    assert harmful_direction(name) == direction


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("container_cpu_usage_seconds_rate", "cores"),
        ("container_network_receive_bytes_rate", "B/s"),
        ("istio_request_duration_milliseconds_p90", "ms"),
        ("http_request_duration_seconds_mean", "s"),
        ("requests_per_second", "/s"),
        ("disk_used_pct", "%"),
        ("cpu_utilisation_ratio", ""),
        ("container_cpu_cfs_throttled_seconds_rate", "s/s"),
    ],
)
def test_a_name_tells_its_unit(name, unit):
    assert unit_of(name) == unit


@pytest.mark.parametrize(
    ("metric", "resource"),
    [
        ("container_cpu_usage_seconds_rate", "cpu"),
        ("mem_usage", "memory"),
        ("container_memory_working_set_bytes", "memory"),
        ("fs_write", "disk"),
        ("node_net_receive_bytes", "network"),
        ("tcp_retransmits", "network"),
        ("latency_p95_seconds", "latency"),
        ("errors_per_second", "errors"),
        ("network_errors_total", "errors"),
        ("db_pool_waiting", "saturation"),
        ("temperature", "other"),
    ],
)
def test_a_metric_of_a_resource_names_it_and_any_other_its_kind(metric, resource):
    assert resource_of(metric) == resource
