import { runProgram } from './run-program.ts';

export interface CurlAnswer {
  readonly startedAtMs: number;
  /** '000' when there was none. */
  readonly status: string;
  /** As curl measured it. */
  readonly totalMs: number;
}

/** curl over and over, one call after the other, as somebody has it in a terminal beside the window. */
export class CurlLoop {
  readonly answers: CurlAnswer[] = [];
  #running = true;
  #waiting: ((answer: CurlAnswer) => void)[] = [];
  readonly #args: readonly string[];
  readonly #over: Promise<void>;

  constructor(args: readonly string[]) {
    this.#args = args;
    this.#over = this.#run();
  }

  /** The answer to the first call that begins after this moment. */
  async next(): Promise<CurlAnswer> {
    const askedAtMs = Date.now();
    for (;;) {
      const answer = await new Promise<CurlAnswer>((resolve) => this.#waiting.push(resolve));
      if (answer.startedAtMs > askedAtMs) return answer;
    }
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#over;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      const startedAtMs = Date.now();
      const options = ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{time_total}', '--max-time', '15'];
      const { stdout } = await runProgram('curl', [...options, ...this.#args]);
      const [status = '', seconds] = stdout.split(' ');
      const answer = { startedAtMs, status, totalMs: Number(seconds) * 1000 };
      this.answers.push(answer);
      for (const resolve of this.#waiting.splice(0)) resolve(answer);
    }
  }
}
