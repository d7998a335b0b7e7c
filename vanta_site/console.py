"""The operators' console: Django's admin with our name, our banner and our own pages."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path, re_path


class Console(AdminSite):
    """The admin site."""

    site_header = "Vanta"
    site_title = "Vanta"
    index_title = "The desk"
    site_url = None
    index_template = "vanta/index.html"

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """The admin's own pages and ours."""
        # Models aren't loaded yet when Django makes the site.
        from vanta_site import approvals, feeds, reports
        from vanta_site.control import pages

        ours = [
            path("control/", self.admin_view(pages.overview), name="control"),
            path("control/stop/", self.admin_view(pages.stop), name="control_stop"),
            path("control/flatten/<int:pk>/", self.admin_view(pages.job), name="control_job"),
            path("control/<slug:name>/", self.admin_view(pages.act), name="control_act"),
            path("feeds/", self.admin_view(feeds.page), name="feeds"),
            path("reports/", self.admin_view(reports.page), name="reports"),
            re_path(r"^reports/(?P<name>fills|results)\.csv$", self.admin_view(reports.download), name="report_csv"),
            path("approvals/", self.admin_view(approvals.page), name="approvals"),
        ]
        return [*ours, *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page shows, with the mode for its banner."""
        from vanta_site import standing

        # Called by the template, when the page's transaction is over: the switch is outside.
        return super().each_context(request) | {"read_standing": standing.read}
