"""What an expression of PromQL names: metrics and labels. Whether it is valid is for promtool to say."""

import re

KEYWORDS = {"and", "or", "unless", "bool", "inf", "nan", "offset"}
LABEL_LIST = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
SELECTOR = re.compile(r"\{([^}]*)\}")


def without_variables(expression: str) -> str:
    """With values for the variables of Grafana."""
    expression = expression.replace("$__rate_interval", "5m").replace("$__range", "1h")
    return re.sub(r"\$\{?\w+\}?", ".*", expression)


def metrics(expression: str) -> set[str]:
    """Names of metrics and of recorded series."""
    text = LABEL_LIST.sub("", SELECTOR.sub("", _without_strings(expression)))
    text = re.sub(r"\[[^\]]*\]|\boffset\s+\S+", "", text)
    names = re.findall(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:])(?!\s*\()", text)
    return {name for name in names if name.lower() not in KEYWORDS}


def labels(expression: str) -> set[str]:
    """Names of labels in selectors and in lists such as `by (…)`."""
    text = _without_strings(expression)
    found = [re.findall(r"(\w+)\s*[=!]", selector) for selector in SELECTOR.findall(text)]
    found += [re.findall(r"\w+", listed) for listed in LABEL_LIST.findall(text)]
    return {label for labels in found for label in labels}


def _without_strings(expression: str) -> str:
    return re.sub(r"\"[^\"]*\"|'[^']*'", '""', expression)
