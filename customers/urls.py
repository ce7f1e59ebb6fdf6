"""The pages of customers."""

from django.urls import path

from customers import views

app_name = "customers"
urlpatterns = [
    path("", views.list_, name="list"),
    path("new/", views.new, name="new"),
    path("export/", views.export, name="export"),
    path("suggest/", views.suggest, name="suggest"),
    path("areas/", views.areas, name="areas"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/file/", views.file, name="file"),
    path("<int:pk>/timeline/", views.timeline, name="timeline"),
]
