// Says what Go's time.ParseDuration makes of texts: those on standard input, one a line, and as many
// made up ones as its argument says. README.md has the format.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"time"
)

func say(text string) {
	duration, err := time.ParseDuration(text)
	if err != nil {
		fmt.Printf("%s\t%s\n", text, err)
		return
	}
	fmt.Printf("%s\t%d\t%s\n", text, int64(duration), duration)
}

func one(chance *rand.Rand, of ...string) string { return of[chance.Intn(len(of))] }

func made(chance *rand.Rand) string {
	text := one(chance, "", "", "", "-", "+")
	for parts := 1 + chance.Intn(3); parts > 0; parts-- {
		number := strconv.FormatUint(chance.Uint64()>>uint(chance.Intn(64)), 10)
		text += one(chance, number, number, number, "", "0") + one(chance, "", "", ".", ".5", ".000000001", "."+number)
		text += one(chance, "ns", "us", "µs", "ms", "s", "m", "h", "h", "s", "", "d")
	}
	return text
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
		say(made(chance))
	}
}
