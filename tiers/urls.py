"""The pages of tiers."""

from django.urls import path

from tiers.views import files, report, runs

app_name = "tiers"
urlpatterns = [
    path("", report.report, name="report"),
    path("export/", report.export, name="export"),
    path("runs/", runs.runs, name="runs"),
    path("runs/start/", runs.run_start, name="run-start"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/progress/", runs.run_progress, name="run-progress"),
    path("runs/<int:pk>/export/", runs.run_export, name="run-export"),
    path("of-customer/<int:pk>/", files.of_customer, name="of-customer"),
]
