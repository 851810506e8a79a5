/**
 * Hang-ups (SIGHUP), by which the agent is told to read its configuration anew. From here on until the process ends, none ends it: a service
 * manager may send one while the agent still starts, or stops already.
 */
export class HangUps {
  #came = false
  #hear = (): void => {
    this.#came = true
  }

  constructor(listen: (heard: () => void) => void = (heard) => process.on('SIGHUP', heard)) {
    listen(() => this.#hear())
  }

  /** Calls back for each from now on, and now for those that came before. */
  hear(onHangUp: () => void): void {
    this.#hear = onHangUp
    if (this.#came) onHangUp()
  }
}
