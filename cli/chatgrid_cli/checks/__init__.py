"""What `chatgrid doctor` looks at, one module for each part of a stack; looking changes nothing."""
