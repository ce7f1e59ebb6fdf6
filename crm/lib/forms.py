"""How forms are drawn: every field by one template, with its label, hint and errors."""

from django.forms.renderers import TemplatesSetting


class KehuRenderer(TemplatesSetting):
    """Django's template renderer with our field and form templates (templates/components/)."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"
