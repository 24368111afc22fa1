#!/usr/bin/env node
// Every tool of a kame node: the name it is called by is the program to run, KAME_NODE the control socket of the node.
// Plain JavaScript for any Node, and as few modules as can be: an administrator waits for it at each command.
const { connect } = require('node:net');
const { basename } = require('node:path');

const name = basename(process.argv[1]);
const path = process.env.KAME_NODE;

/** A command that could not be run at all. */
const CANNOT_RUN = 126;

function fail(message) {
  process.stderr.write(`${name}: ${message}\n`);
  process.exit(CANNOT_RUN);
}

if (!path) fail('KAME_NODE is not set: the control socket of the node, as given to kame-node --control');

const socket = connect(path);
const say = (line) => socket.write(`${JSON.stringify(line)}\n`);
let code;
let rest = '';

socket.setEncoding('utf8');
socket.on('connect', () => {
  say({ run: [name, ...process.argv.slice(2)], columns: process.stdout.columns || 80, cwd: process.cwd() });
});
socket.on('error', (error) => {
  if (code !== undefined) return;
  const reason = { ENOENT: 'no such socket', ECONNREFUSED: 'the node is not running' }[error.code] || error.message;
  fail(`KAME_NODE=${path}: ${reason}`);
});
socket.on('data', (text) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  for (const line of lines) take(JSON.parse(line));
});
socket.on('close', () => {
  if (code === undefined) fail(`KAME_NODE=${path}: the node ended`);
  // standard output may be a pipe that still has to drain; nothing else keeps this process
  process.exitCode = code;
  process.stdin.destroy();
});

function take(line) {
  if (line.out !== undefined) process.stdout.write(line.out);
  else if (line.error !== undefined) process.stderr.write(line.error);
  else if (line.reading) read();
  else if (line.exit !== undefined) code = line.exit;
  else if (line.failed !== undefined) fail(line.failed);
}

/** Standard input is read only for a program that wants it: a terminal stops a background job that reads. */
function read() {
  process.stdin.setEncoding('utf8');
  process.stdin.on('data', (input) => say({ input }));
  process.stdin.on('end', () => say({ input: null }));
}

// a second Ctrl-C does not wait for the program
let interrupted = false;
process.on('SIGINT', () => {
  if (interrupted) process.exit(130);
  interrupted = true;
  say({ signal: 'SIGINT' });
});
process.on('SIGTERM', () => say({ signal: 'SIGTERM' }));
// `netstat -s | head`
process.stdout.on('error', () => process.exit(code || 0));
