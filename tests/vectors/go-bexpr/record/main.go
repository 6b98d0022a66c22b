// Says what go-bexpr makes of expressions: those on standard input, one a line, and as many made up
// from the grammar as its argument says. README.md has the format.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/go-bexpr"
)

type path struct {
	Port int
	Path string
}

type value struct {
	Name   string
	On     bool
	Delta  int
	Count  uint64
	Ratio  float64
	Tags   []string
	Ports  []int
	Meta   map[string]string
	Any    map[string]interface{}
	First  path
	Paths  []path
	Secret string `bexpr:"-"`
}

var full = value{
	Name: "web", On: true, Delta: -3, Count: 7, Ratio: 1.5,
	Tags: []string{"v1", "v2"}, Ports: []int{80, -5},
	Meta: map[string]string{"env": "prod", "x": ""}, Any: map[string]interface{}{"k": 1},
	First: path{1, "a"}, Paths: []path{{1, "a"}, {2, "bb"}},
}

var bare = value{Ports: []int{}}

func decide(evaluator *bexpr.Evaluator, of *value) string {
	result, err := evaluator.Evaluate(of)
	if err != nil {
		return "error: " + err.Error()
	}
	return strings.ToUpper(strconv.FormatBool(result)[:1])
}

func say(expression string) {
	evaluator, err := bexpr.CreateEvaluatorForType(expression, nil, (*value)(nil))
	if err == nil {
		fmt.Printf("%s%s\t%s\n", decide(evaluator, &full), decide(evaluator, &bare), expression)
		return
	}
	// The parser's own errors begin with a place and list what it expected.
	if text := err.Error(); text[0] < '0' || text[0] > '9' {
		fmt.Printf("%s\t%s\n", strings.ReplaceAll(text, "\n", " "), expression)
		return
	}
	fmt.Printf("syntax\t%s\n", expression)
}

func one(chance *rand.Rand, of ...string) string { return of[chance.Intn(len(of))] }

func blank(chance *rand.Rand) string { return one(chance, " ", " ", " ", "  ", "\t", "") }

func selector(chance *rand.Rand) string {
	return one(chance, "Name", "On", "Delta", "Count", "Ratio", "Tags", "Ports", "Meta", "Meta.env", `Meta["x"]`, "Meta.none",
		"Any", "First.Port", "First.Path", "Paths", "Paths.Port", "Paths.Path", "Nope", "not")
}

func literal(chance *rand.Rand) string {
	return one(chance, "web", "true", "v1", "80", "-3", "7", "1.5", "0", "-5", `""`, `"web"`, "`e`", "prod", "env", "k", "a", `"\x61"`, "2", "007", "1x", "a.b")
}

func made(chance *rand.Rand, depth int) string {
	switch s, v := selector(chance), literal(chance); chance.Intn(9 + depth) {
	case 0:
		return s + blank(chance) + "==" + blank(chance) + v
	case 1:
		return s + blank(chance) + "!=" + blank(chance) + v
	case 2:
		return s + blank(chance) + "contains" + blank(chance) + v
	case 3:
		return s + " not contains " + v
	case 4:
		return v + blank(chance) + "in" + blank(chance) + s
	case 5:
		return v + " not in " + s
	case 6:
		return s + " is" + blank(chance) + "empty"
	case 7:
		return s + " is not empty"
	case 8:
		return s + one(chance, " matches ", " not matches ") + one(chance, "`^w`", "a", `"b+$"`, "`(`")
	case 9:
		return "not " + made(chance, depth-1)
	case 10:
		return "(" + blank(chance) + made(chance, depth-1) + blank(chance) + one(chance, ")", ")", ")", ")", "")
	case 11:
		return made(chance, depth-1) + blank(chance) + "and " + made(chance, depth-1)
	default:
		return made(chance, depth-1) + " or " + made(chance, depth-1)
	}
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		say(lines.Text())
	}
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	chance := rand.New(rand.NewSource(1))
	for i := 0; i < count; i++ {
		say(made(chance, 5))
	}
}
