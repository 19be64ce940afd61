"""Builds the bridge in order, serves it, and takes it down in reverse."""

from __future__ import annotations

import logging
import sys
import uuid
from contextlib import AsyncExitStack

import structlog
import uvloop
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from golem_bridge.api.app import create_app, host_server
from golem_bridge.api.context import Context
from golem_bridge.api.head_doors import HeadDoors
from golem_bridge.api.views import Presenter
from golem_bridge.clock import SystemClock
from golem_bridge.clusters.books import Books
from golem_bridge.clusters.caretaker import Caretaker
from golem_bridge.clusters.closer import Closer
from golem_bridge.clusters.keys import load_or_create_key, public_line
from golem_bridge.clusters.leftovers import Leftovers
from golem_bridge.clusters.links import NodeLinks
from golem_bridge.clusters.recovery import Recovery
from golem_bridge.clusters.runtime import Runtimes
from golem_bridge.clusters.service import ClusterService
from golem_bridge.clusters.ssh import SshGate
from golem_bridge.clusters.starter import Starter
from golem_bridge.clusters.sweeper import Sweeper
from golem_bridge.clusters.workers import Workers
from golem_bridge.errors import BridgeError, YagnaUnavailableError
from golem_bridge.golem.yagna import YagnaGolem
from golem_bridge.market.images import ImageRegistry
from golem_bridge.money.bookkeeper import Bookkeeper
from golem_bridge.money.funds import Funds, read_funds
from golem_bridge.settings import GolemNetwork, SecretError, Settings, read_secret
from golem_bridge.store.database import Database
from golem_bridge.store.values import Values
from golem_bridge.telemetry.logs import LogCounts
from golem_bridge.telemetry.room import Telemetry

YAGNA_PATIENCE = 120
"""Seconds to wait for yagna at start."""

log = structlog.get_logger(__name__)


async def serve(settings: Settings, logs: LogCounts) -> None:
    """Run until a signal ends the server. Raises SecretError, BridgeError if it cannot start."""
    token = read_secret(settings.bridge_token_file)
    metrics_token = read_secret(settings.metrics_token_file)
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        data_dir = settings.bridge_data_dir
        doors_dir = data_dir / "doors"
        doors_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database.open(data_dir / "bridge.sqlite", golem_network=settings.golem_network.value)
        stack.callback(database.close)
        golem = YagnaGolem(settings.yagna_api_url, read_secret(settings.yagna_appkey_file))
        stack.push_async_callback(golem.close)
        wallet = await _await_identity(golem)

        books = Books.on(database, clock)
        runtimes = Runtimes()
        doors = HeadDoors(doors_dir, clock)
        stack.push_async_callback(doors.close_all)
        links = NodeLinks(golem=golem, books=books)
        stack.push_async_callback(links.close)
        key = load_or_create_key(data_dir / "id_ed25519")
        gate = SshGate(key=key, connect=links.connect, clock=clock)
        session = app_session(Values(database))

        service = ClusterService(
            golem=golem,
            books=books,
            runtimes=runtimes,
            images=ImageRegistry(settings.registry_url),
            settings=settings,
        )
        closer = Closer(golem=golem, books=books, runtimes=runtimes, drop_link=links.drop)
        starter = Starter(
            golem=golem,
            books=books,
            runtimes=runtimes,
            gate=gate,
            doors=doors,
            settings=settings,
            app_session_id=session,
            bridge_public_key=public_line(key),
            on_end=service.end_node,
            close=closer.close,
            drop_link=links.drop,
        )
        sweeper = Sweeper(golem=golem, books=books, app_session_id=session)
        leftovers = Leftovers(golem=golem, books=books, is_opening=service.is_opening_any)
        bookkeeper = Bookkeeper(
            golem=golem,
            database=database,
            contracts=books.contracts,
            ledger=books.ledger,
            clock=clock,
            allocation_of=books.clusters.allocation_of,
            notify=books.changes.tell,
        )
        caretaker = Caretaker(
            golem=golem,
            books=books,
            runtimes=runtimes,
            service=service,
            settings=settings,
            close_door=doors.close,
            last_heard=links.last_heard,
            reading_since=lambda: bookkeeper.reading_since,
        )

        def funds() -> Funds:
            return read_funds(settings.balance_file, now=clock.now())

        telemetry = Telemetry(
            golem=golem,
            books=books,
            database=database,
            network=settings.golem_network,
            app_session_id=session,
            market=service.market,
            last_heard=links.last_heard,
            head_asked_at=doors.asked_at,
            runtimes=runtimes,
            logs=logs,
            funds=funds,
        )
        golem.observed_by(telemetry.yagna_calls.note)

        async def check_ready() -> None:
            await golem.identity()

        app = create_app(
            Context(
                service=service,
                books=books,
                caretaker=caretaker,
                presenter=Presenter(books, network=settings.golem_network.value, wallet=wallet),
                connect=links.connect,
                check_ready=check_ready,
                funds=funds,
                registry=telemetry.registry,
                settings=settings,
            )
        )
        doors.serve(telemetry.traffic.around(app, door="head"))
        await Recovery(
            books=books,
            runtimes=runtimes,
            service=service,
            gate=gate,
            doors=doors,
            sweeper=sweeper,
            leftovers=leftovers,
        ).run()
        workers = Workers(
            service=service,
            starter=starter,
            closer=closer,
            caretaker=caretaker,
            bookkeeper=bookkeeper,
            sweeper=sweeper,
            leftovers=leftovers,
            nodes=books.nodes,
            clock=clock,
        )
        workers.start()
        stack.push_async_callback(runtimes.stop_all)
        stack.push_async_callback(workers.stop)
        telemetry.start(workers.loops)
        stack.push_async_callback(telemetry.stop)
        log.info("bridge serves", network=settings.golem_network.value, wallet=wallet, port=settings.bridge_listen_port)
        if settings.golem_network is GolemNetwork.POLYGON:
            log.warning(
                "REAL MONEY: nothing is spent before ray up, then at most total_budget of the cluster file, and gas",
                needs="GLM, and POL for gas, both on polygon, sent to the wallet",
                wallet=wallet,
            )
        server = host_server(app, settings, token=token, metrics_token=metrics_token, traffic=telemetry.traffic)
        await server.serve()


def main() -> None:
    """Entry point of the container: ``python -m golem_bridge``."""
    settings = Settings()
    logs = LogCounts()
    _configure_logging(settings.log_level, logs)
    try:
        uvloop.run(serve(settings, logs))
    except (SecretError, BridgeError) as error:
        log.error("bridge cannot run", reason=str(error))
        sys.exit(1)


async def _await_identity(golem: YagnaGolem) -> str:
    retrying = AsyncRetrying(
        stop=stop_after_delay(YAGNA_PATIENCE),
        wait=wait_fixed(1),
        retry=retry_if_exception_type(YagnaUnavailableError),
        reraise=True,
    )
    return await retrying(golem.identity)


def app_session(values: Values) -> str:
    """The installation's own mark on every agreement it signs."""
    session = values.get("app_session_id")
    if session is None:
        session = f"ray-on-golem-{uuid.uuid4()}"
        values.put("app_session_id", session)
    return session


def _configure_logging(level: str, logs: LogCounts) -> None:
    logging.basicConfig(level=level, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for noisy in ("asyncssh", "aiohttp", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        processors=[
            structlog.processors.add_log_level,
            logs,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
