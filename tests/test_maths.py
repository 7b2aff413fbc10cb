"""TeX maths as Typst: what a reader of formulas would expect, and that all of it can be typeset."""

import pytest
import typst

from helpers.export import maths
from helpers.export.tex import Unreadable, definitions

SAME = {  # TeX, and TeX that means the same
    r"x_{\rm max}": r"x_{\mathrm{max}}",
    r"{a \over b}": r"\frac{a}{b}",
    r"\begin{aligned}a&=b\cr c&=d\end{aligned}": r"\begin{align}a&=b\\c&=d\end{align}",
    r"\begin{pmatrix}1&2\\3&4\\\end{pmatrix}": r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
    r"\left(\begin{array}{*{2}c}1&2\end{array}\right)": r"\left(\begin{array}{cc}1&2\end{array}\right)",
    r"\begin{array}{l@{\quad\mbox{so}}r}a&b\end{array}": r"\begin{array}{lr}a&b\end{array}",
    r"\begin{pmatrix}a\end{pmatrix}^n_i": r"{\begin{pmatrix}a\end{pmatrix}}^n_i",
    r"\begin{matrix}\color{red}1&\textcolor{blue}2\end{matrix}": (
        r"\begin{matrix}\textcolor{#f00}{1}&\textcolor{#00f}{2}\end{matrix}"
    ),
    r"{\color{red} a+b} + c": r"{\color{red}{a+b}} + c",
    r"\left(\color{red} a\right) b": r"\left(\color{red}{a}\right) b",
    r"\color[rgb]{1,0,0}{x} \color[HTML]{00FF00}{y}": r"\color{red}{x} \color{#0f0}{y}",
    r"\color{gone}{x} + y": r"{x} + y",
    r"a \\ b \\": r"a \\ b",
    r"\class{x}{a} + \cssId{b}{c}": r"{a} + {c}",
    r"||w||": r"\|w\|",
    r"\cfrac{1}{2}": r"\frac{1}{2}",
    r"\hbox{so}": r"\text{so}",
    r"\begin{eqnarray}a&=&b\end{eqnarray}": r"\begin{align}a&=b\end{align}",
    r"x \label{eq:x}": r"x",
    r"\begin{align}a&=b\newline&=c\end{align}": r"\begin{align}a&=b\\&=c\end{align}",
    r"a \text{ if $x^2$ is}": r"a {\text{ if } x^2 \text{ is}}",
    r"\text{\$5, $x$}": r"{\text{\$5, } x}",
}
WRITTEN = {
    r"\frac{1}{\frac{2}{3}}": "frac(1, frac(2, 3))",
    r"a \implies b": "a ⟹ b",
    r"A \Rightarrow B": "A ⇒ B",
    r"|x|": r"lr(\| x \|)",
    r"P(A|B)": r'P \( A class("normal", \|) B \)',
    r"\left. y\right|_{x=0}": r"attach(lr( y \|), b: x \= 0)",
    r"a\;b": "a #h(0.278em) b",
    r"a\!b": "a #h(-0.167em) b",
    r"x=\begin{matrix}1&2\\3&4\end{matrix}+1": r"x \= display(mat(delim: #none, align: #center, 1, 2; 3, 4)) \+ 1",
    r"\begin{vmatrix}a&b\\c&d\end{vmatrix}": r"lr(\| display(mat(delim: #none, align: #center, a, b; c, d)) \|)",
    r"\begin{aligned}a&=b&c&=d\end{aligned}": r'a & "" \= b #h(2em) & c & "" \= d',
    r"\mathop{\textrm{sgn}}": 'op("sgn", limits: #true)',
    r'\text{it is \#5 "x"}': r'"it is #5 \"x\""',
    r"\mathrm{max}(x)": r'upright("max")\( x \)',
    r"\text{Poi}(x) \text{ if } x": r'"Poi"\( x \)" if "x',
    r"a \not= b \not\in C": "a ≠ b ∉ C",
    r"\hat{x} + \overline{ab}": r"accent(x, hat) \+ overline(a b)",
    r"\displaystyle\int_0^1": "display(attach(∫, b: 0, t: 1))",
    r"\begin{array}{l}\displaystyle x\\z\end{array}": r"display(mat(delim: #none, align: #left, display(x); z))",
    r"\begin{array}{l}x\\\displaystyle\end{array}": r"display(mat(delim: #none, align: #left, x))",
    r"\begin{array}{rcl}a&b&c\\&d\end{array}": 'display(mat(delim: #none, align: #center, a &, b, & c;  &, d, ""))',
    r"\begin{smallmatrix}a&b\end{smallmatrix}": "inline(mat(delim: #none, align: #center, a, b))",
    r"\color{red}{x}+\textcolor{Blue}{\frac12}": (
        r'text(fill: #rgb("#ff0000"), x) \+ text(fill: #rgb("#0000ff"), frac(1, 2))'
    ),
    r"\boxed{a}": "#box(stroke: 0.5pt, inset: 2pt, baseline: 2pt)[$display(a)$]",
    r"\big(x\big)": r"lr(size: #120%, \() x lr(size: #120%, \))",
    r"\inf_x": 'attach(op("inf", limits: #true), b: x)',
    r"a \ref{eq:a_b}": 'a #eqref("eq-eq:a_b")',
}


@pytest.mark.parametrize(("tex", "same"), SAME.items())
def test_old_and_loose_tex_means_what_it_means_in_mathjax(tex, same):
    assert maths.typst(tex) == maths.typst(same)


@pytest.mark.parametrize(("tex", "expected"), WRITTEN.items())
def test_structure_is_kept(tex, expected):
    assert maths.typst(tex) == expected


def test_a_label_after_equations_is_that_of_the_last():
    inside, after = r"\begin{align}a&=b\label{x}\end{align}", r"\begin{align}a&=b\end{align} \label{x}"
    assert maths.typst_rows(after) == maths.typst_rows(inside)


def test_everything_that_is_written_can_be_typeset(tmp_path):
    hard = [
        r"|0\rangle\langle1|",
        r"[0,1)",
        r"\{x",
        r"f(x;y)",
        r"x_{i_j}^{2'}",
        r"\#\$\%\&\_",
        r"a/b*c",
        r"\binom{n}{k}",
        r"2 \text{a} \mathrm{max} y \ \text{b} \sin \text{\"} \\ \text{c}",
    ]
    body = "#let eqref(id) = id\n\n" + "\n\n".join(
        f"$ {maths.typst(tex)} $" for tex in [*SAME, *SAME.values(), *WRITTEN, *hard]
    )
    (tmp_path / "a.typ").write_text(body)
    assert typst.compile(tmp_path / "a.typ")


def test_macros_are_read_where_they_are_defined():
    found, rest = definitions(
        r"\newcommand{\R}{\mathbb{R}}\newcommand\pair[2]{(#1, #2)}\def\v#1{\mathbf{#1}}"
        r"\DeclareMathOperator*{\am}{arg\,min}\DeclareMathOperator*{\sm}{softmax}\def\bm{\boldsymbol} x"
    )
    assert rest == " x"
    for tex, same in {
        r"\R^2": r"\mathbb{R}^2",
        r"\pair{a}{\R}": r"(a, \mathbb{R})",
        r"\v x": r"\mathbf{x}",
        r"\am_x": r"\operatorname*{arg min}_x",
        r"\sm_x": r"\operatorname*{softmax}_x",
        r"\bm{x} \bm y": r"\boldsymbol{x} \boldsymbol y",
    }.items():
        assert "".join(maths.typst(tex, found).split()) == "".join(maths.typst(same).split())


@pytest.mark.parametrize("tex", [r"\undefined{x}", r"\frac{1}", r"\left( x", r"a_{"])
def test_what_cannot_be_read_is_refused(tex):
    with pytest.raises(Unreadable):
        maths.typst(tex)


def test_a_macro_of_itself_is_refused():
    with pytest.raises(Unreadable, match="call each other"):
        maths.typst(r"\a", {r"\a": (0, r"\a")})
