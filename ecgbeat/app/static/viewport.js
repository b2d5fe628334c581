// The stretch of a recording that is in view, in samples and CSS pixels.

export const PX_PER_MM = 96 / 25.4;
const FASTEST = 200; // mm/s
const SLOWEST = 12.5; // of recordings that are shorter than the paper

export class Viewport {
  constructor(recording) {
    this.n_times = recording.n_times;
    this.fs = recording.fs;
    this.width = 1000;
    this.start = 0;
    this.speed = 25;
  }

  get samplesPerPixel() { return this.fs / (this.speed * PX_PER_MM); }

  get span() { return this.width * this.samplesPerPixel; }

  get stop() { return this.start + this.span; }

  /** The mm/s at which the whole recording is in view. */
  get whole() { return (this.width * this.fs) / this.n_times / PX_PER_MM; }

  xOf(sample) { return (sample - this.start) / this.samplesPerPixel; }

  sampleAt(x) { return this.start + x * this.samplesPerPixel; }

  moveTo(start) {
    this.start = Math.max(0, Math.min(start, this.n_times - this.span));
  }

  center(sample) { this.moveTo(sample - this.span / 2); }

  resize(width) {
    this.width = width;
    this.setSpeed(this.speed, 0);
  }

  /** Set mm/s; the sample at `x` stays where it is. */
  setSpeed(speed, x = this.width / 2) {
    const fixed = this.sampleAt(x);
    this.speed = Math.min(FASTEST, Math.max(speed, Math.min(SLOWEST, this.whole)));
    this.moveTo(fixed - x * this.samplesPerPixel);
  }
}
