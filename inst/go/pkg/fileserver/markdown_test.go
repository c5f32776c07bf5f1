package fileserver

import (
	"regexp"
	"strings"
	"testing"
)

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"one\ntwo\n\nthree":                 "<p>one\ntwo</p>\n<p>three</p>\n",
		"# Title #\ntext":                   "<h3>Title</h3>\n<p>text</p>\n",
		"###### deep":                       "<h6>deep</h6>\n",
		"#none":                             "<p>#none</p>\n",
		"- a\n- b\n  more\n\n1. c\n2. d":    "<ul>\n<li>a</li>\n<li>b\nmore</li>\n</ul>\n<ol>\n<li>c</li>\n<li>d</li>\n</ol>\n",
		"- a\n1. b":                         "<ul>\n<li>a</li>\n</ul>\n<ol>\n<li>b</li>\n</ol>\n",
		"> a\n> b\nc":                       "<blockquote>a\nb\nc</blockquote>\n",
		"---":                               "<hr>\n",
		"```r\nx <- 1\n\n# y\n```\nz":       "<pre>x &lt;- 1\n\n# y</pre>\n<p>z</p>\n",
		"```\nnot closed":                   "<pre>not closed</pre>\n",
		"```":                               "<pre></pre>\n",
		"    code\n    more":                "<pre>    code\n    more</pre>\n",
		"| a | b |\n|---|---|\n| 1 | 2 |\n": "<pre>| a | b |\n|---|---|\n| 1 | 2 |</pre>\n",
		"<!-- hidden\nlines -->\nx":         "<p>x</p>\n",
		"<!-- never closed":                 "",
		"**bold**, *it*, __b__ and _i_":     "<p><strong>bold</strong>, <em>it</em>, <strong>b</strong> and <em>i</em></p>\n",
		"snake_case_name, 2 * 3 * 4":        "<p>snake_case_name, 2 * 3 * 4</p>\n",
		"`a < b` and ``x`y``":               "<p><code>a &lt; b</code> and <code>x`y</code></p>\n",
		"`open *x*":                         "<p>`open <em>x</em></p>\n",
		`\*x\* \\ \q`:                       `<p>*x* \ \q</p>` + "\n",
		"[a *b*](c d.html \"t\")":           "<p><a href=\"c\">a <em>b</em></a></p>\n",
		"[a](b.html), [c]":                  "<p><a href=\"b.html\">a</a>, [c]</p>\n",
		"[![x](y.svg)](https://z.org)":      "<p><a href=\"https://z.org\"><img src=\"y.svg\" alt=\"x\" loading=\"lazy\"></a></p>\n",
		"![x](https://other.org/y.png)":     "<p>x</p>\n",
		"![x](//other.org/y.png)":           "<p>x</p>\n",
		`![x](/\other.org/y.png)`:           "<p>x</p>\n",
		"<https://a.org/?b&c>":              "<p><a href=\"https://a.org/?b&amp;c\">https://a.org/?b&amp;c</a></p>\n",
		"[x](javascript:alert)":             "<p>x</p>\n",
		"[x]( JavaScript:alert )":           "<p>x</p>\n",
		"[x](java\tscript:alert)":           "<p>x</p>\n",
		"[x](data:text/html,y)":             "<p>x</p>\n",
		"<script>alert(1)</script>":         "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
		`[x](a"onclick="b)`:                 `<p><a href="a&#34;onclick=&#34;b">x</a></p>` + "\n",
	} {
		if got := markdown(text); got != want {
			t.Errorf("%q:\n%q, want\n%q", text, got, want)
		}
	}
}

// A text that is made to cost much ends soon: the test would not.
func TestMarkdownCost(t *testing.T) {
	for _, part := range []string{"*", "**a", "_a ", "[", "[a](", "![", "`", "` ``", "<http://", "> ", "- ", "[[](", "*a_b`c["} {
		markdown(strings.Repeat(part, maxReadme/len(part)))
	}
}

// FuzzMarkdown looks for texts that become other markup than is meant.
func FuzzMarkdown(f *testing.F) {
	for _, text := range []string{"# a\n- b\n> *c* [d](e) `f`", "[![x](y)](z)", "```\n<b>", "<!--", "[a](javascript:b)"} {
		f.Add(text)
	}
	tag := regexp.MustCompile(`^</?(h[3-6]|p|ul|ol|li|blockquote|pre|code|strong|em|hr|a href="[^"<>]*"|a|img src="[^"<>]*" alt="[^"<>]*" loading="lazy")>`)
	script := regexp.MustCompile(`(href|src)="[^":/?#]*:`)
	f.Fuzz(func(t *testing.T, text string) {
		markup := markdown(text)
		for rest := markup; ; {
			at := strings.IndexAny(rest, "<>")
			if at < 0 {
				break
			}
			match := tag.FindString(rest[at:])
			if match == "" {
				t.Fatalf("%q became %q", text, markup)
			}
			if scheme := strings.ToLower(script.FindString(match)); scheme != "" && !regexp.MustCompile(`"(https?|mailto):$`).MatchString(scheme) {
				t.Fatalf("%q links to %q", text, match)
			}
			rest = rest[at+len(match):]
		}
	})
}
