def render(cells):
    return ""
