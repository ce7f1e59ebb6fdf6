"""The pages of tiers."""

from django.urls import path

from tiers import views

app_name = "tiers"
urlpatterns = [
    path("", views.report, name="report"),
    path("export/", views.export, name="export"),
    path("runs/", views.runs, name="runs"),
    path("runs/start/", views.run_start, name="run-start"),
    path("runs/<int:pk>/", views.run, name="run"),
    path("runs/<int:pk>/progress/", views.run_progress, name="run-progress"),
    path("runs/<int:pk>/export/", views.run_export, name="run-export"),
    path("of-customer/<int:pk>/", views.of_customer, name="of-customer"),
]
