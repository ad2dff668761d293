"""The one class that reads the environment. Every setting stands in docs/configuration.md."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rootward.errors import InvalidConfiguration


class Settings(BaseSettings):
    """Settings, each read from `ROOTWARD_<NAME>`; the defaults run everything in one process."""

    model_config = SettingsConfigDict(env_prefix="ROOTWARD_", frozen=True)

    database_url: str = Field("sqlite:///rootward.db", description="Database, as a SQLAlchemy URL.")
    bus_url: str = Field(
        "embedded://",
        description="Bus for samples; embedded:// uses the database, "
        "kafka[+tls]://[USER:PASSWORD@]HOST:PORT[,HOST:PORT][?partitions=12&replication=3&"
        "prefix=rootward&mechanism=SCRAM-SHA-512&ca=FILE&cert=FILE&key=FILE] Kafka.",
    )
    jobs_url: str = Field(
        "thread://",
        description="Job queue; thread:// runs jobs in this process, celery+redis:// and "
        "celery+amqp:// in those of `rootward work`. The jobs themselves are in the database.",
    )
    samples_url: str = Field(
        "",
        description="Where samples are kept; empty: in the database. "
        'promql+http://HOST[?match={job="shop"}] reads them from Prometheus, Mimir, Thanos or '
        "VictoriaMetrics, and takes none in.",
    )
    instance: str = Field(
        "",
        description="Name of this process among others of its kind, kept over restarts; empty: "
        "the name of the host, which is enough for one of each kind there.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    public_url: str = Field(
        "", description="Address that people reach the pages at; empty: made from host and port."
    )
    access: Literal["auto", "required", "proxy"] = Field(
        "auto",
        description="Who must say who they are: `auto` everyone, unless only this machine can "
        "reach us; `required` everyone; `proxy` a proxy has found out.",
    )
    admin_token_file: Path | None = Field(
        None, description="File with a token, `rw_` and 32 letters or more, that may do all."
    )
    ingest_token_file: Path | None = Field(
        None, description="File with a token of the same form that may send data."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of proxies whose word on the address, the scheme and "
        "the name of who is asking is taken, separated by commas.",
    )
    proxy_user_header: str = Field(
        "X-Forwarded-User", description="Header in which a trusted proxy names who is asking."
    )
    login_idle_seconds: float = Field(
        43_200.0, gt=0, description="A login that is not used for so long ends."
    )
    login_seconds: float = Field(
        604_800.0, gt=0, description="How long a login lasts, however much it is used."
    )
    notify_file: Path | None = Field(
        None,
        description="Who is told of incidents, in TOML: Slack, PagerDuty, webhooks; empty: nobody.",
    )
    step_seconds: float = Field(
        15.0, gt=0, le=3600, description="Distance between rows; at least the scrape interval."
    )
    window_rows: int = Field(
        360, ge=20, le=10000, description="Rows that a diagnosis looks back over."
    )
    retention_seconds: float = Field(86400.0, gt=0, description="How long samples are kept.")
    graphs_seconds: float = Field(
        3600.0,
        ge=0,
        description="How often the causal graph of each service is looked at; 0: none is kept.",
    )
    runbooks: Path | None = Field(
        None, description="Folder with runbooks in Markdown, offered beside like incidents."
    )
    scrape_file: Path | None = Field(
        None, description="Targets to scrape, in Prometheus' file_sd JSON; empty: none."
    )
    scrape_interval_seconds: float = Field(
        15.0, gt=0, description="Distance between two scrapes of a target."
    )
    kubernetes_url: str = Field(
        "",
        description="API server whose workloads are watched for what is done to them, "
        "https://kubernetes.default.svc inside a cluster; empty: none.",
    )
    kubernetes_namespaces: str = Field(
        "", description="Namespaces to watch, separated by commas; empty: all, and the nodes."
    )
    intake_file: Path | None = Field(
        None, description="Rules for intake, in TOML: relabelling, replicas, tenants; empty: none."
    )
    max_body_bytes: int = Field(
        16 * 2**20, gt=0, description="Largest request body that ingest reads."
    )
    max_decompressed_bytes: int = Field(
        64 * 2**20, gt=0, description="Largest body after decompression."
    )
    max_parts: int = Field(
        500_000, gt=0, description="Most messages, texts and values in a body, counted unbuilt."
    )
    max_samples: int = Field(250_000, gt=0, description="Most samples in a request.")
    max_labels: int = Field(
        64, gt=0, le=256, description="Most labels of a series, its name among them."
    )
    max_label_name_bytes: int = Field(512, gt=0, description="Longest label name.")
    max_label_value_bytes: int = Field(4096, gt=0, description="Longest label value.")
    max_samples_per_second: float = Field(
        0.0,
        ge=0,
        description="Samples that a tenant may send on average; beyond it 429. 0: any number.",
    )
    max_inflight_bytes: int = Field(
        512 * 2**20,
        gt=0,
        description="Memory that requests may take together while they are handled; beyond it 503.",
    )
    tenant_header: str = Field(
        "",
        description="Header that names the tenant, such as X-Scope-OrgID, where a proxy sets it; "
        "empty: all data is of the tenant `default`.",
    )
    max_tenants: int = Field(20, gt=0, description="Most tenants that a process takes in.")
    max_series: int = Field(
        50_000, gt=0, description="Most series of a tenant; new ones beyond it are refused."
    )
    max_ahead_seconds: float = Field(
        600.0, ge=0, description="How far a sample may lie ahead of our clock."
    )
    max_age_seconds: float = Field(
        3600.0, gt=0, description="How old a sample may be when it arrives."
    )
    max_backlog: int = Field(
        10_000,
        gt=0,
        description="Batches that may wait on the bus before ingest says 503.",
    )
    workers: int = Field(
        2,
        gt=0,
        description="Long jobs that a process runs side by side; one more place is kept for what "
        "somebody waits for.",
    )
    worker_memory_bytes: int = Field(
        2 * 2**30,
        gt=0,
        description="Memory beyond which a child of a Celery worker is replaced, after its job.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe log line that is written."
    )
    log_format: Literal["json", "text"] = Field("json", description="Form of a log line.")
    seed: int = Field(0, ge=0, description="Seed of every random choice in a diagnosis.")


def one_thread() -> None:
    """Let each numerical library use one thread, unless the operator chose otherwise.

    Call it before numpy or torch are imported. The matrices here are small: threads of one
    process wait for each other longer than they work, many times longer on a busy machine.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def load() -> Settings:
    """The settings from the environment.

    Raises:
        InvalidConfiguration: a value cannot be read; the text names each one.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"ROOTWARD_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()
        )
        raise InvalidConfiguration(wrong) from error
