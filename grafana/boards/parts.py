"""What the dashboards are put together from: one look, one data source, units that do not scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

SOURCE = models.DataSourceRef(type_val="prometheus", uid="prometheus")
"""Provisioned in ``grafana/provisioning/datasources``."""

TAG = "ray-on-golem"
GLM = "suffix: GLM"
"""Not scaled: 0.003 GLM must not become 3 mGLM."""
GLM_PER_HOUR = "suffix: GLM/h"
GLM_DECIMALS = 4
COUNT = "none"

CLUSTER = 'cluster=~"$cluster"'
"""Selects the clusters chosen at the top of the page."""

AnyPanel: TypeAlias = stat.Panel | timeseries.Panel


@dataclass(frozen=True)
class Query:
    """PromQL and the name of its series; ``legend`` may hold ``{{label}}``."""

    expr: str
    legend: str = ""


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


def number(
    about: About, query: Query, *, width: int = 4, thresholds: dashboard.ThresholdsConfig | None = None
) -> stat.Panel:
    """The value of now, with its course behind it. ``thresholds`` colour it; without, it is plain."""
    panel = (
        stat.Panel()
        .title(about.title)
        .description(about.description)
        .unit(about.unit)
        .datasource(SOURCE)
        .span(width)
        .height(4)
        .graph_mode(common_models.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target(query, 0))
    )
    if about.decimals is not None:
        panel = panel.decimals(about.decimals)
    return panel.thresholds(thresholds or steps((None, "text")))


def lines(about: About, *queries: Query, width: int = 12, stacked: bool = False) -> timeseries.Panel:
    """Courses over time. ``stacked`` adds them up to a total."""
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


def board(uid: str, title: str, description: str, variables: Iterable[dashboard.QueryVariable]) -> dashboard.Dashboard:
    """An empty dashboard that cannot be edited in the browser and links to the others."""
    page = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time("now-1h", "now")
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


def cluster_variable() -> dashboard.QueryVariable:
    """``$cluster``."""
    return variable("cluster", "Cluster", "label_values(rayongolem_spend_glm_total, cluster)")


def _target(query: Query, index: int) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .expr(query.expr)
        .legend_format(query.legend or "__auto")
        .ref_id(chr(ord("A") + index))
        .range()
    )
