/*
 * formats_test.c: each format read by somebody else's reader: SARIF by its schema, JUnit by a parser and by its schema,
 * JSON by its schema, HTML by Chromium.
 */
#include "tool.h"

/* Findings of every kind, by seeds; names that no writer of markup may trust. */
static void findings(void)
{
	enter();
	cr_assert(sh_is(66, "$R explore -q -n 20 --state st -- $P seed"));
	scratch_write("nasty", "{\"kind\":\"data-race\",\"fingerprint\":\"00000000000000aa\",\"accesses\":["
			       "{\"kind\":\"write\",\"atomic\":false,\"address\":\"0x1\",\"size\":4,\"by\":0,\"locks\":[],\"stack\":["
			       "{\"function\":\"</script><script>window.pwned=1</script>\",\"file\":\"a b%/<img src=x>,;:'\\\".c\","
			       "\"line\":3,\"module\":\"/m\"}]},"
			       "{\"kind\":\"read\",\"atomic\":true,\"address\":\"0x1\",\"size\":1,\"by\":1,\"locks\":[{\"address\":\"0x9\","
			       "\"mode\":\"read\",\"locked_at\":{\"function\":\"l\",\"file\":\"../up/]]>&amp;.c\",\"line\":1}}],\"stack\":["
			       "{\"function\":\"op<< <T&>\\u0001\\u001b[31m\\n::error::x\",\"file\":\"/abs/\\u00e9\\ud83d\\ude00.c\",\"line\":9,"
			       "\"column\":2}]}],\"location\":{\"kind\":\"global\",\"name\":\"<b>%0A\",\"address\":\"0x1\",\"size\":4},"
			       "\"goroutines\":[{\"kind\":\"goroutine\",\"id\":2,\"main\":false,\"finished\":false,\"name\":"
			       "\"<b>\\\"&\",\"parent_kind\":\"goroutine\",\"parent_id\":1,\"created_at\":[{\"function\":\"m\"}]},"
			       "{\"kind\":\"thread\",\"id\":3,\"main\":false,\"finished\":true,\"created_at\":[]}]}\n");
}

TestSuite(formats, .init = findings, .timeout = 120);

#define VALIDATE                                                                                                      \
	"/usr/bin/python3 -c 'import json, sys, jsonschema\n"                                                         \
	"s = json.load(open(sys.argv[1]))\n"                                                                          \
	"for f in sys.argv[2:]:\n"                                                                                    \
	"  jsonschema.validate(json.load(open(f)), s, cls=jsonschema.validators.validator_for(s))' "

Test(formats, sarif_holds_its_schema)
{
	cr_assert(sh_is(0, "$R report st --sarif a && $R report nasty --sarif b && : > none && $R report none --sarif c && " VALIDATE
			   "$S/tests/support/sarif/*.json a b c"));
}

#define PYTHON(text) "/usr/bin/python3 -c '" text "'"

Test(formats, sarif_says_where_what_and_who)
{
	cr_assert(sh_is(0, "$R report st --root $S/tests/goro-race --sarif s && " PYTHON(
			       "import json\n"
			       "run = json.load(open(\"s\"))[\"runs\"][0]\n"
			       "ids = [r[\"id\"] for r in run[\"tool\"][\"driver\"][\"rules\"]]\n"
			       "assert sorted(ids) == [\"goro/crash\", \"goro/data-race\", \"goro/deadlock\", \"goro/outcome\", \"goro/panic\"]\n"
			       "for r in run[\"results\"]:\n"
			       "  assert ids[r[\"ruleIndex\"]] == r[\"ruleId\"]\n"
			       "  assert len(r[\"partialFingerprints\"][\"goroFingerprint/v1\"]) == 16\n"
			       "race = run[\"results\"][0]\n"
			       "at = race[\"locations\"][0][\"physicalLocation\"]\n"
			       "assert at[\"artifactLocation\"] == {\"uri\": \"subject.c\", \"uriBaseId\": \"SRCROOT\"}\n"
			       "assert at[\"region\"][\"startLine\"] > 20\n"
			       "flows = race[\"codeFlows\"][0][\"threadFlows\"]\n"
			       "assert len(flows) == 2 and flows[0][\"id\"] != flows[1][\"id\"]\n"
			       "assert all(f[\"locations\"][-1][\"importance\"] == \"essential\" for f in flows)\n"
			       "words = [l[\"message\"][\"text\"] for l in race[\"relatedLocations\"]]\n"
			       "assert \"goroutine 2 created here\" in words and \"variable defined here\" in words, words\n"
			       "assert run[\"originalUriBaseIds\"][\"SRCROOT\"][\"uri\"].endswith(\"/tests/goro-race/\")\n")));
	cr_assert(sh_is(0, "$R report nasty --sarif - | grep '\"uri\"'"));
	cr_assert(out_has("\"a%20b%25/%3Cimg%20src%3Dx%3E%2C%3B%3A%27%22.c\""));
	cr_assert(out_has("\"file:///abs/%C3%A9%F0%9F%98%80.c\""));
}

Test(formats, sarif_keeps_githubs_limits)
{
	cr_assert(sh_is(0, PYTHON("import json\n"
				  "f = [{\"function\": \"f%%d\" %% i, \"file\": \"a.c\", \"line\": i + 1} for i in range(3000)]\n"
				  "for i in range(5100):\n"
				  "  print(json.dumps({\"kind\": \"data-race\", \"fingerprint\": \"%%016x\" %% i, \"message\": \"m\" * 3000, \"accesses\": "
				  "[{\"kind\": \"read\", \"stack\": f if i == 0 else f[:1], \"locks\": [{\"locked_at\": f[0]}] * 300}] * 2 if i < 2 else "
				  "[]}))\n") " > many && $R report many --sarif s && gzip -k s && test $(stat -c %%s s.gz) -lt 10000000 && " PYTHON(
			       "import json\n"
			       "run = json.load(open(\"s\"))[\"runs\"][0]\n"
			       "assert len(run[\"results\"]) == 5000 and run[\"properties\"][\"leftOut\"] == 100\n"
			       "for r in run[\"results\"]:\n"
			       "  assert len(r[\"message\"][\"text\"]) <= 1000 and len(r[\"relatedLocations\"]) <= 100\n"
			       "  steps = sum(len(t[\"locations\"]) for c in r.get(\"codeFlows\", []) for t in c[\"threadFlows\"])\n"
			       "  assert steps <= 1000, steps\n")));
}

Test(formats, junit_is_read_by_a_parser)
{
	cr_assert(sh_is(0, "$R run -q -b known --update-baseline -- $P race && $R report st -b known --junit a && $R report nasty --junit b && "
			   ": > none && $R report none --junit c && " JUNIT_HOLDS "a b c && " PYTHON(
			       "from junitparser import JUnitXml, Failure, Skipped\n"
			       "a, b, c = [list(next(iter(JUnitXml.fromfile(f)))) for f in \"abc\"]\n"
			       "assert len(a) == 6 and len(c) == 1 and not c[0].result\n"
			       "assert [t.classname for t in a][:2] == [\"goro.data-race\"] * 2\n"
			       "assert sum(isinstance(r, Failure) for t in a for r in t.result) == 5\n"
			       "assert \"</script><script>window.pwned=1</script>\" in b[0].result[0].text\n")));
}

/* Of runs and of merged states, of every kind that the detector's schema and the tool know, of none. */
Test(formats, junit_holds_its_schema)
{
	cr_assert(sh_is(66, "$R run -q --junit leak -- $P leak"));
	cr_assert(sh_is(66, "$R run -q --timeout 300ms --junit hang -- $P hang"));
	cr_assert(sh_is(0, "$R run -q --junit quiet -- $P exit 0"));
	cr_assert(sh_is(66, "$R explore -q -n 7 --state first --junit seeds -- $P seed"));
	cr_assert(sh_is(0, "$R merge -o all st first && $R report all --junit merged"));
	cr_assert(sh_is(0, PYTHON("import json, sys\n"
				  "kinds = json.load(open(sys.argv[1]))[\"$defs\"][\"finding\"][\"properties\"][\"kind\"][\"enum\"]\n"
				  "for i, k in enumerate(kinds + \"deadlock panic fatal crash hang outcome\".split()):\n"
				  "  print(json.dumps({\"kind\": k, \"fingerprint\": \"%%016x\" %% i, \"message\": \"]]> & \\n\\t<x>\"}))\n")
			   " $S/docs/report-schema.json > kinds && $R report kinds --junit each"));
	cr_assert(sh_is(0, JUNIT_HOLDS "leak hang quiet seeds merged each && " PYTHON(
			       "import json, sys\n"
			       "from xml.etree import ElementTree\n"
			       "def cases(f): return ElementTree.parse(f).getroot().find(\"testsuite\").findall(\"testcase\")\n"
			       "for f in \"leak hang quiet seeds merged each\".split():\n"
			       "  suite = ElementTree.parse(f).getroot().find(\"testsuite\")\n"
			       "  for attr, path in ((\"tests\", \"testcase\"), (\"failures\", \"testcase/failure\"),\n"
			       "      (\"errors\", \"testcase/error\"), (\"skipped\", \"testcase/skipped\")):\n"
			       "    assert int(suite.get(attr)) == len(suite.findall(path)), (f, attr)\n"
			       "assert [c.get(\"classname\") for c in cases(\"leak\")] == [\"goro.goroutine-leak\"]\n"
			       "assert [c.get(\"classname\") for c in cases(\"hang\")] == [\"goro.hang\"]\n"
			       "want = {\"goro.\" + json.loads(l)[\"kind\"] for l in open(\"kinds\")}\n"
			       "assert len(want) > 20 and {c.get(\"classname\") for c in cases(\"each\")} == want\n"
			       "assert all(\"]]> & \\n\\t<x>\" in c.find(\"failure\").text for c in cases(\"each\"))\n")));
}

/* Each line makes a good document a bad one: the schema must see it, and say the word. */
Test(formats, junit_schema_refuses_what_is_broken)
{
	static const char *const broken[][2] = {
		{"s/ tests=\"[0-9]*\"//", "attribute 'tests' is required"},
		{"s/ tests=\"[0-9]*\"/ tests=\"all\"/", "positiveInteger"},
		{"s/ failures=\"/&-/", "nonNegativeInteger"},
		{"s/ timestamp=\"[^\"]*/&Z/", "attribute 'timestamp'"},
		{"s/ timestamp=\"2/&2/", "attribute 'timestamp'"},
		{"s/ hostname=\"[^\"]*/ hostname=\"/", "attribute 'hostname'"},
		{"s/ classname=\"goro[^\"]*\"//", "attribute 'classname' is required"},
		{"s/ classname=\"goro/ classname=\"go/", "attribute 'classname'"},
		{"/<testcase/s/ name=\"[^\"]*/ name=\"/", "attribute 'name'"},
		{"/<testcase/s/ name=\"[^\"]*/ name=\"x/", "Duplicate key-sequence"},
		{"/<testcase/s/ time=\"0/&s/", "attribute 'time'"},
		{"/<testcase/s/ time/ line=\"1\" time/", "attribute 'line' is not allowed"},
		{"s/<failure type=\"[^\"]*\"/<failure/", "attribute 'type' is required"},
		{"s/<failure /<failed /; s/<.failure>/<\\/failed>/", "Element 'failed'"},
		{"s/<failure /<skipped message=\"x\"\\/>&/", "Element 'failure'"},
		{"/<propert/d; /<.properties/d", "Expected is ( properties )"},
		{"s/<system-out>/&<b\\/>/", "Element 'system-out'"},
		{"/<system-err/d", "Missing child element"},
		{"/<testcase/,/<.testcase>/d", "Expected is ( testcase )"},
		{"s/<.testsuite>/said&/", "Element 'testsuite'"},
		{"s/&#39;/\\&nbsp;/", "not defined"},
		{"$d", "Premature end of data"},
	};

	cr_assert(sh_is(0, "$R report st --junit good && " JUNIT_HOLDS "good && grep -q '&#39;' good"));
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		cr_assert(sh_is(0, "sed '%s' good > bad; ! cmp -s good bad", broken[i][0]), "%s", broken[i][0]);
		cr_assert(sh_is(0, JUNIT_HOLDS "bad; s=$?; test $s -eq 1 || test $s -eq 3"), "%s", broken[i][0]);
		cr_assert(err_has(broken[i][1]), "%s", broken[i][0]);
	}
}

Test(formats, junit_names_a_host_without_a_name_localhost)
{
	cr_assert(sh_is(0, "echo 'int gethostname(char *to, unsigned long n) { return n ? *to = 0 : -1; }' | "
			   "gcc -shared -fPIC -x c - -o nameless.so && : > none && "
			   "LD_PRELOAD=$PWD/nameless.so $R report none --junit a && " JUNIT_HOLDS "a && cat a"));
	cr_assert(out_has(" hostname=\"localhost\" "));
}

Test(formats, junit_skips_what_is_known)
{
	cr_assert(sh_is(0, "$R explore -q -n 7 -b known --update-baseline -- $P seed > out && $R report st -b known --junit - | "
			   "grep -c '<skipped'"));
	cr_assert_str_eq(last_run()->out, "1\n");
}

Test(formats, json_holds_its_schema)
{
	cr_assert(sh_is(0, "$R report st --json a && $R report nasty --json b && $R run --json c -q -- $P exit 0 && " VALIDATE
			   "$S/docs/findings-schema.json a b c"));
}

Test(formats, github_commands_cannot_be_broken_out_of)
{
	cr_assert(sh_is(0, "$R report nasty --github -"));
	cr_assert(out_has("::error file=a b%25/<img src=x>%2C;%3A'\".c,line=3,title=DATA RACE::data race on '<b>%250A': write in "));
	cr_assert_eq(strchr(last_run()->out, '\n')[1], '\0', "one line");
	cr_assert(sh_is(0, PYTHON("for i in range(13): print(\"{\\\"kind\\\":\\\"panic\\\",\\\"fingerprint\\\":\\\"%%016x\\\"}\" %% i)") " > many; "
			   "$R report many --github - > g; grep -c ^::error g; grep -c ^::notice g; wc -l < g"));
	cr_assert_str_eq(last_run()->out, "10\n1\n14\n");
}

Test(formats, names_are_relative_to_the_root_wherever_it_was_compiled)
{
	scratch_write("sub/r.c", "#include <goro.h>\nstatic int hits;\nstatic void f(chan(int) c) { chan_send(c, 1); hits++; }\n"
				 "int main(void)\n{\n\tchan(int) c = chan_make(int);\n\tgo(f, c);\n\tchan_recv(c);\n\tgoro_sleep(1000000);\n"
				 "\treturn ++hits > 2;\n}\n");
	cr_assert(sh_is(66, "(cd sub && $CC -race -g r.c -o ../r) && $R run -q --github - --html h --sarif s -- ./r"));
	cr_assert(out_has("::error file=sub/r.c,line="));
	cr_assert(sh_is(0, "grep -c '\"uri\": \"sub/r.c\"' s && grep 'class=\"here\".*++hits' h"));
}

/* ---- HTML ---- */

Test(html, reads_and_looks_as_it_should, .init = findings, .timeout = 120)
{
	cr_assert(sh_is(0, "$R report st --root $S/tests/goro-race --html p.html && timeout 100 /usr/bin/python3 "
			   "$S/tests/goro-race/browser.py p.html quiet picture reads looks quiet"));
}

Test(html, names_that_are_markup_are_names, .init = findings, .timeout = 120)
{
	cr_assert(sh_is(0, "$R report nasty --html p.html && timeout 100 /usr/bin/python3 $S/tests/goro-race/browser.py p.html "
			   "quiet nasty looks"));
}

Test(html, nothing_found_is_a_page_too, .init = findings)
{
	cr_assert(sh_is(0, ": > none; $R report none --html - | grep 'Nothing was found'"));
}
