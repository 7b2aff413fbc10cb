"""The text of Markdown cells, as JupyterLab and MyST read it, in the Markdown that pandoc reads."""

import re

CODE = re.compile(
    r"(^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)|\Z)|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))",
    re.M | re.S,
)
WORDS = r"\\(?:[mh]box|text(?:rm|bf|it)?)\s*\{[^{}]*\}"  # with dollars in them that do not end the formula
LINE = rf"(?:{WORDS}|\\.|[^$\\\n])+?"
TEX = rf"(?:{WORDS}|\\.|\n(?!\s*\n)|[^$\\\n])+?"
MATH = re.compile(
    r"\\{1,2}\$|\\\\\((?P<round>.+?)\\\\\)|\\\\\[(?P<square>.+?)\\\\\]"
    r"|\$\$(?P<display>.+?)\$\$|\\begin\{(?P<env>[a-z]+\*?)\}(?P<rows>.+?)\\end\{(?P=env)\}"
    rf"|\$(?P<inline>(?!\s){TEX}(?<!\s)|\s{TEX}\s|(?=[^$\n]*(?:\\[a-zA-Z ]|[_^=≤≥∈])){LINE})\$(?!\d)|\$",
    re.S,
)
CLOSE_HEADING = re.compile(r"^(#{2,6}(?=[^\W_])|#(?=[^\W\d_a-z]))", re.M)  # as old notebooks have it: #Heading
AFTER_TAG = re.compile(r"(?<=>)[ \t]*\n(?=#{1,6} )")
DIRECTIVE = re.compile(
    r"^(?P<fence>`{3,}|~{3,}|:{3,}(?=\{))(?:\{(?P<name>[\w-]+)(?: [^{}\n]*)?\})?[ \t]*(?P<title>[^\n]*)\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.M | re.S,
)
ALERT = re.compile(
    r"^ {0,3}<div\b[^>\n]*\bclass\s*=\s*[\"'][^\"'\n]*\balert\b[^>]*>"
    r"(?P<body>(?:(?!<div\b).)*?\n[ \t]*\n(?:(?!<div\b).)*?)</div>",
    re.M | re.S,
)
BOXES = {"note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "error", "seealso"}
BOXES |= {"admonition"}
TITLED = {"tab-item", "dropdown", "card", "grid-item-card"}


def outside_code(function, text):
    """`text` with `function` applied to all that is not in code spans or fenced code."""
    pieces, start = [], 0
    for code in CODE.finditer(text):
        pieces += [function(text[start : code.start()]), code.group()]
        start = code.end()
    return "".join([*pieces, function(text[start:])])


def _uncommented(tex):
    """TeX without its comments; a % before a brace that must close is none."""
    shorter = re.sub(r"(?<!\\)%.*", "", tex)
    comment = shorter.count("{") - shorter.count("}") == tex.count("{") - tex.count("}")
    return shorter if comment else re.sub(r"(?<!\\)%", r"\\%", tex)


def one_line(match):
    """The formula that MATH matched as pandoc reads it, in one line."""
    env, rows = match.group("env", "rows")
    display, inline = match["display"] or match["square"], match["inline"] or match["round"]
    tex = display or rows or inline
    if tex is None:
        return r"\$"
    tex = _uncommented(tex)
    tex = re.sub(r"\\(?:nonumber|notag)\b|\\[bB]igg?[lrm]?(?![a-z])", "", tex)
    tex = re.sub(r"(?<!\\)\\\|(.+?)(?<!\\)\\\|", r"\\lVert \1 \\rVert", " ".join(tex.split()))
    while re.search(r"(?<!\\)(?:\\\\)*\\$", tex):  # a blank that was written "\ " and stood at the end
        tex = tex[:-1].rstrip()
    if env:
        inner = re.sub(r"^(?:equation|displaymath|math)\*?$", "", env)
        tex = rf"\begin{{{inner}}} {tex} \end{{{inner}}}" if inner else tex
    return f"${tex}$" if inline else f"$${tex}$$"


def plain_maths(text):
    """`text` with its TeX maths, as JupyterLab reads it, in the only form that pandoc reads: `$x$`, `$$x$$`."""
    return outside_code(lambda piece: MATH.sub(one_line, piece), text)


def headings(text):
    """`text` with a blank after the # of each heading, and an empty line between it and a line of HTML; without them
    pandoc sees none."""
    return outside_code(lambda piece: AFTER_TAG.sub("\n\n", CLOSE_HEADING.sub(r"\1 ", piece)), text)


def _box(name, body):
    """A Div of pandoc, with more colons than what is in it."""
    outer = ":" * (max(map(len, re.findall(":{3,}", body)), default=3) + 1)
    return f"{outer} {{.{name}}}\n\n{body}\n\n{outer}"


def _directive(match):
    """What DIRECTIVE matched as pandoc reads it: a box, an equation, code or a figure."""
    fence, name, title, given, body = match.group("fence", "name", "title", "options", "body")
    options = dict(re.findall(r"^:([\w-]+):[ \t]*(.*)$", given or "", re.M))
    if name in BOXES:
        title, body = title or name.replace("seealso", "see also").capitalize(), directives(body)
        return _box(name, f"::: {{.title}}\n{title}\n:::\n\n{body}")
    if name == "math":
        label = rf"\label{{{options['label']}}}" if "label" in options else ""
        return f"$$\n{title}\n{body.strip()}{label}\n$$"
    if name == "index":  # an entry of it, not seen
        return ""
    if name in ("code", "code-block", "code-cell"):
        return f"{fence}{title}\n{body}{fence}"
    if name in ("figure", "image"):
        width = f"{{width={options['width']}}}" if "width" in options else ""
        image = f"![{options.get('alt', '')}](<{title}>){width}"
        if name == "image" or not body.strip():
            return image
        label = options.get("name", "")
        label = label if re.fullmatch(r"[\w:.-]+", label) else f"fig-{match.start()}-{len(body)}"
        return f":::: {{.captioned #{label}}}\n\n{image}\n\n::: caption\n{directives(body)}\n:::\n\n::::"
    if name and fence.startswith(":"):  # of a theme, or an extension
        return f"**{title}**\n\n{directives(body)}" if title and name in TITLED else directives(body)
    return match.group()


def directives(text):
    """`text` with MyST's directives, as ```{note} or :::{note}, in pandoc's Markdown; others stay,
    where they are code, or leave what is in them."""
    return DIRECTIVE.sub(_directive, text)


def alerts(text):
    """`text` with boxes of HTML that have empty lines in them, and so are none for pandoc, in its Markdown."""
    code = [match.span() for match in CODE.finditer(text)]

    def box(match):
        if any(start < match.start() < end for start, end in code):
            return match.group()
        return _box("alert", match["body"])

    return ALERT.sub(box, text)


def fenced(text, info=""):
    """`text` as a fenced code block that no run of backticks in it can close."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{text}\n{fence}"


def language(name):
    """The name of a language as a class of pandoc has it: csharp, cpp."""
    return re.sub(r"[^\w-]", "", name.lower().replace("#", "sharp").replace("+", "p")) or "python"


def plain(text):
    """`text` as Markdown that says just this."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
