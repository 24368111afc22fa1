/** Expect, over a lab: each expectation waits as long as its bounds allow and leaves a Check. */
import { type Decoded, matches, type Pattern } from '#stack/wire/decode.ts';
import type { Frame, Lab, LabLink } from './drivers/driver.ts';
import type { Expect } from './expect.ts';
import type { Check, Measurement } from './outcome.ts';

/** An expectation did not hold: the implementation's failure, not the harness's. */
export class Failed extends Error {}

/** How long a frame is waited for unless told. Milliseconds. */
const WITHIN = 3000;
/** A difference of two times is not exact in binary. Milliseconds. */
const PRECISION = 0.001;

export class Judge implements Expect {
  readonly checks: Check[] = [];
  readonly measurements: Measurement[] = [];
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async frame(
    link: LabLink,
    text: string,
    pattern: Pattern,
    { within = WITHIN, since = 0, from }: { within?: number; since?: number; from?: string } = {},
  ): Promise<Frame> {
    const seen = new Search(link, pattern, since, from);
    await this.#lab.until(() => seen.first !== undefined, within + this.#lab.tolerance);
    const found = seen.first;
    this.#check(found !== undefined, `${link.name}: ${text}`, `not seen in ${within} ms; last were: ${tail(link)}`);
    return found!;
  }

  async noFrame(
    link: LabLink,
    text: string,
    pattern: Pattern,
    { during, since = this.#lab.now, from }: { during: number; since?: number; from?: string },
  ): Promise<void> {
    const seen = new Search(link, pattern, since, from);
    await this.#lab.until(() => seen.first !== undefined, Math.max(0, since + during - this.#lab.now));
    const found = seen.first;
    const detail = found === undefined ? '' : `seen at ${found.time.toFixed(1)} ms: ${brief(found.decoded)}`;
    this.#check(found === undefined, `${link.name}: no ${text} for ${during} ms`, detail);
  }

  async frames(
    link: LabLink,
    text: string,
    pattern: Pattern,
    count: number,
    { since = 0, from }: { since?: number; from?: string } = {},
  ): Promise<readonly Frame[]> {
    const found = new Search(link, pattern, since, from).all();
    this.#check(found.length === count, `${link.name}: ${count} × ${text}`, `seen ${found.length} times`);
    return found;
  }

  async eventually(
    text: string,
    check: () => boolean | Promise<boolean>,
    { within = WITHIN, detail = () => '' }: { within?: number; detail?: () => string } = {},
  ): Promise<void> {
    const end = this.#lab.now + within + this.#lab.tolerance;
    let ok = await check();
    while (!ok && this.#lab.now < end) {
      await this.#lab.sleep(50);
      ok = await check();
    }
    this.#check(ok, text, ok ? '' : detail() || `not so after ${within} ms`);
  }

  that(ok: boolean, text: string, detail = ''): void {
    this.#check(ok, text, detail);
  }

  within(
    name: string,
    value: number,
    { min, max, source }: { min?: number; max?: number; source: string },
    unit = 'ms',
  ): void {
    const slack = unit === 'ms' ? this.#lab.tolerance + PRECISION : 0;
    this.measure(name, value, unit, {
      source,
      tolerance: slack,
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    });
    const ok = value >= (min ?? Number.NEGATIVE_INFINITY) - slack && value <= (max ?? Number.POSITIVE_INFINITY) + slack;
    const bounds = `${min ?? ''}..${max ?? ''} ${unit}`;
    this.#check(ok, `${name} within ${bounds} (${source})`, `${value.toFixed(1)} ${unit}`);
  }

  measure(name: string, value: number, unit: string, bounds: Omit<Measurement, 'name' | 'value' | 'unit'> = {}): void {
    this.measurements.push({ name, value, unit, ...bounds });
  }

  #check(ok: boolean, text: string, detail: string): void {
    this.checks.push({ time: this.#lab.now, text, ok, detail: ok ? '' : detail });
    if (!ok) throw new Failed(detail === '' ? text : `${text}: ${detail}`);
  }
}

/** The first match on a link, looked for once in each frame however often it is asked. */
class Search {
  readonly #link: LabLink;
  readonly #pattern: Pattern;
  readonly #since: number;
  readonly #from: string | undefined;
  #next = 0;
  #first: Frame | undefined;

  constructor(link: LabLink, pattern: Pattern, since: number, from: string | undefined) {
    this.#link = link;
    this.#pattern = pattern;
    this.#since = since;
    this.#from = from;
  }

  get first(): Frame | undefined {
    while (this.#first === undefined && this.#next < this.#link.frames.length) {
      const frame = this.#link.frames[this.#next++]!;
      if (this.#matches(frame)) this.#first = frame;
    }
    return this.#first;
  }

  all(): Frame[] {
    return this.#link.frames.filter((frame) => this.#matches(frame));
  }

  #matches(frame: Frame): boolean {
    if (frame.time < this.#since || (this.#from !== undefined && frame.from !== this.#from)) return false;
    return matches(frame.decoded, this.#pattern);
  }
}

function tail(link: LabLink): string {
  const last = link.frames.slice(-4).map((frame) => `${frame.time.toFixed(1)} ms ${brief(frame.decoded)}`);
  return last.length === 0 ? 'none at all' : last.join('; ');
}

function brief(decoded: Decoded): string {
  const ip6 = decoded.ip6;
  if (ip6 === undefined) return 'not IPv6';
  const name =
    decoded.icmp6?.name ??
    (decoded.udp ? 'UDP' : decoded.tcp ? 'TCP' : decoded.fragment ? 'fragment' : `next header ${ip6.nextHeader}`);
  return `${ip6.src} > ${ip6.dst} ${name}`;
}
