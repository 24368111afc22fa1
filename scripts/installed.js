// Exit code 0 when node_modules holds what package-lock.json asks for. Plain JavaScript: any Node runs it.
import { readFileSync } from 'node:fs';

const packages = (file) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')).packages;

function installed() {
  try {
    const wanted = packages('../package-lock.json');
    const present = packages('../node_modules/.package-lock.json');
    return Object.entries(wanted).every(([path, { version, optional }]) => {
      if (!path.includes('node_modules/')) return true;
      // an optional package may be missing because it is for another system
      return path in present ? present[path].version === version : optional;
    });
  } catch {
    return false;
  }
}

process.exitCode = installed() ? 0 : 1;
