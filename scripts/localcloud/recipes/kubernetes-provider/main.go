// The Pulumi Kubernetes provider, built from its published library: its binary is not in the Go module
// mirror, its code is. The schema and the mapping are copied beside this file from that very module
// when the tool is built (see ../../tools.py), and the version is set by the linker.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var terraformMapping []byte

var version = "unset"

func main() {
	provider.Serve("kubernetes", version, schema, terraformMapping)
}
