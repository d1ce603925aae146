module clazar-get

go 1.19
