/**
 * Threads that wait in Node's place, for files and for DuckDB: a statement keeps one until it ends. With Node's own 4, long queries would leave
 * none for a write. Read once, before the first of them begins: import this first.
 */
process.env["UV_THREADPOOL_SIZE"] ??= "12";
