"""What the dashboards are put together from: one look, one data source, units that do not scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as prometheus_models

SOURCE = models.DataSourceRef(type_val="prometheus", uid="prometheus")
"""Provisioned in ``grafana/provisioning/datasources``."""

TAG = "ray-on-golem"
GLM = "suffix: GLM"
"""Not scaled: 0.003 GLM must not become 3 mGLM."""
GLM_PER_HOUR = "suffix: GLM/h"
GLM_DECIMALS = 4
COUNT = "none"

WIDTH = 24
"""Columns of Grafana's grid."""

AnyPanel: TypeAlias = stat.Panel | timeseries.Panel | table.Panel


@dataclass(frozen=True)
class Query:
    """PromQL and the name of its series; ``legend`` may hold ``{{label}}``."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Column:
    """A table's column: PromQL, its head and its unit. Without a head the value is not shown, its labels are."""

    expr: str
    title: str = ""
    unit: str = COUNT
    decimals: int | None = None


@dataclass(frozen=True)
class About:
    """What every panel must say. ``decimals`` None: as many as it takes."""

    title: str
    description: str
    unit: str
    decimals: int | None = None


def glm(title: str, description: str, unit: str = GLM) -> About:
    """About an amount in GLM."""
    return About(title, description, unit, GLM_DECIMALS)


def counted(title: str, description: str) -> About:
    """About a number of things."""
    return About(title, description, COUNT, 0)


def number(
    about: About,
    query: Query,
    *,
    width: int = 4,
    thresholds: dashboard.ThresholdsConfig | None = None,
    may_end: bool = False,
) -> stat.Panel:
    """The value of now, with its course behind it. ``thresholds`` colour it; without, it is plain.

    Of a course Grafana shows the last value, however old. ``may_end`` asks for now only, where there may be none.
    """
    graph = common_models.BigValueGraphMode.NONE if may_end else common_models.BigValueGraphMode.AREA
    target = _target(query, 0)
    panel = (
        stat.Panel()
        .title(about.title)
        .description(about.description)
        .unit(about.unit)
        .datasource(SOURCE)
        .span(width)
        .height(4)
        .graph_mode(graph)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(target.instant() if may_end else target)
    )
    if about.decimals is not None:
        panel = panel.decimals(about.decimals)
    return panel.thresholds(thresholds or steps((None, "text")))


def chosen(metric: str, *matchers: str, over: str = "", by_type: bool = False) -> str:
    """The series of the clusters and the network chosen at the top of the page.

    ``over`` is a function of a range, such as ``rate[5m]``; ``by_type`` heeds the node type chosen too.
    """
    types = ['node_type=~"$node_type"'] if by_type else []
    selector = ", ".join(['cluster=~"$cluster"', *types, *matchers])
    return on_network(f"{metric}{{{selector}}}", over=over)


def booked(metric: str, *matchers: str, over: str = "", by_type: bool = False) -> str:
    """As :func:`chosen`, of what the bridge counts from its books: such a series is named after its network.

    ``increase`` looks back beyond a change of network, and must not count there what the other network cost.
    """
    types = ['node_type=~"$node_type"'] if by_type else []
    selector = ", ".join(['network=~"$network"', 'cluster=~"$cluster"', *types, *matchers])
    function, _, span = over.partition("[")
    return f"{function}({metric}{{{selector}}}[{span})" if over else f"{metric}{{{selector}}}"


def on_network(series: str, *, over: str = "") -> str:
    """Those of ``series`` that were measured on the network chosen at the top of the page."""
    function, _, span = over.partition("[")
    ranged = f"{function}({series}[{span})" if over else series
    return f'{ranged} and on (instance) rayongolem_build_info{{network=~"$network"}}'


def rows(about: About, *columns: Column, sorted_by: str = "", width: int = WIDTH) -> table.Panel:
    """A table of now: one row per set of labels, one column per query and per label of the first query."""
    panel = (
        table.Panel()
        .title(about.title)
        .description(about.description)
        .unit(about.unit)
        .datasource(SOURCE)
        .span(width)
        .height(8)
        .with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(_organized(columns))
    )
    if about.decimals is not None:
        panel = panel.decimals(about.decimals)
    if sorted_by:
        panel = panel.sort_by([common.TableSortByFieldState().display_name(sorted_by).desc(True)])
    for index, column in enumerate(columns):
        panel = panel.with_target(_row_target(column.expr, index))
        if column.title:
            panel = panel.override_by_name(column.title, _format(column))
    return panel


def lines(about: About, *queries: Query, width: int = 12, stacked: bool = False, dashed: str = "") -> timeseries.Panel:
    """Courses over time. ``stacked`` adds them up to a total; ``dashed`` names the one that is a limit."""
    panel = (
        timeseries.Panel()
        .title(about.title)
        .description(about.description)
        .unit(about.unit)
        .datasource(SOURCE)
        .span(width)
        .height(8)
        .min(0)
        .line_width(2)
        .fill_opacity(30 if stacked else 8)
        .show_points(common_models.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(common_models.LegendDisplayMode.LIST)
            .placement(common_models.LegendPlacement.BOTTOM)
            .calcs(["lastNotNull"])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_models.TooltipDisplayMode.MULTI)
            .sort(common_models.SortOrder.DESCENDING)
        )
    )
    if about.decimals is not None:
        panel = panel.decimals(about.decimals)
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if dashed:
        panel = panel.override_by_name(dashed, _limit_line())
    for index, query in enumerate(queries):
        panel = panel.with_target(_target(query, index))
    return panel


def steps(*levels: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Colours by value: each colour from its value on; the first has None, which is minus infinity."""
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=colour) for value, colour in levels])
    )


def board(
    uid: str, title: str, description: str, variables: Iterable[dashboard.QueryVariable], span: str = "now-1h"
) -> dashboard.Dashboard:
    """An empty dashboard that cannot be edited in the browser and links to the others."""
    page = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time(span, "now")
        .refresh("10s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Ray on Golem")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .include_vars(True)
            .keep_time(True)
        )
    )
    for variable in variables:
        page = page.with_variable(variable)
    return page


def filled(page: dashboard.Dashboard, *panels: AnyPanel) -> dashboard.Dashboard:
    """The page with panels in reading order; their numbers make links to them last."""
    for position, panel in enumerate(panels, start=1):
        page = page.with_panel(panel.id(position))
    return page


def variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A choice at the top of the page; all are chosen at first."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .query(query)
        .datasource(SOURCE)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def cluster_variables() -> list[dashboard.QueryVariable]:
    """``$cluster``, ``$node_type`` and ``$network``."""
    return [
        variable("cluster", "Cluster", "label_values(rayongolem_spend_glm_total, cluster)"),
        variable("node_type", "Node type", 'label_values(rayongolem_spend_glm_total{cluster=~"$cluster"}, node_type)'),
        network_variable(),
    ]


def network_variable() -> dashboard.QueryVariable:
    """``$network``: those this appliance has been on."""
    return variable("network", "Network", "label_values(rayongolem_build_info, network)")


def _target(query: Query, index: int) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend or "__auto")
        .ref_id(chr(ord("A") + index))
        .range()
    )


def _row_target(expr: str, index: int) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(expr)
        .format(prometheus_models.PromQueryFormat.TABLE)
        .ref_id(chr(ord("A") + index))
        .instant()
    )


def _organized(columns: Iterable[Column]) -> models.DataTransformerConfig:
    """Heads instead of Grafana's names for values; no time, no labels that say nothing."""
    values = [(f"Value #{chr(ord('A') + index)}", column.title) for index, column in enumerate(columns)]
    excluded = ["Time", "Value", *(name for name, title in values if not title)]
    return models.DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": dict.fromkeys(excluded, True),
            "renameByName": {name: title for name, title in values if title},
        },
    )


def _format(column: Column) -> list[models.DynamicConfigValue]:
    unit = [models.DynamicConfigValue("unit", column.unit)]
    return unit if column.decimals is None else [*unit, models.DynamicConfigValue("decimals", column.decimals)]


def _limit_line() -> list[models.DynamicConfigValue]:
    """As Ray draws its maxima: dotted, not filled, not added to the others."""
    return [
        models.DynamicConfigValue("custom.lineStyle", {"fill": "dot", "dash": [10, 20]}),
        models.DynamicConfigValue("custom.fillOpacity", 0),
        models.DynamicConfigValue("custom.stacking", {"mode": "none", "group": "A"}),
    ]
