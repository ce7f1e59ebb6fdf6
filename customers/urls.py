"""The pages of customers."""

from django.urls import path

from customers.views import files, lists

app_name = "customers"
urlpatterns = [
    path("", lists.list_, name="list"),
    path("new/", files.new, name="new"),
    path("export/", lists.export, name="export"),
    path("suggest/", files.suggest, name="suggest"),
    path("areas/", files.areas, name="areas"),
    path("<int:pk>/", files.detail, name="detail"),
    path("<int:pk>/edit/", files.edit, name="edit"),
    path("<int:pk>/file/", files.file, name="file"),
    path("<int:pk>/timeline/", files.timeline, name="timeline"),
]
