/**
 * Server-sent events to NDJSON, for servers and gateways that send a pull as `text/event-stream`.
 *
 *     data: {"status":"pulling manifest"}
 *                                          ──▶  {"status":"pulling manifest"}
 *     data: {"status":"success"}                {"status":"success"}
 *
 * Events are read by the rules of the HTML standard ("Interpreting an event stream"), and the data of each
 * becomes a line. The data is passed on as it arrives, and nothing else is kept. So the length of an event
 * is limited by the decoder of the lines.
 *
 * @module
 */

import type { Emit, Step } from "./streams/step.ts";

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

const utf8 = new TextEncoder();
const BYTE_ORDER_MARK = utf8.encode("\ufeff");
const FIELD_NAME = utf8.encode("data");

/** The data with which many gateways end a stream (observed). It is not JSON. */
const END_MARK = utf8.encode("[DONE]");

/** Whether a content type means server-sent events. */
export function isEventStream(contentType: string | null): boolean {
  return /^text\/event-stream *(?:;|$)/i.test(contentType ?? "");
}

/** Turns a decoder of NDJSON into one of server-sent events. Line 3 is then the data of the third event. */
export function fromEvents<Output>(decoder: Step<Uint8Array, Output>): Step<Uint8Array, Output> {
  const events = new EventDecoder();
  return {
    push: (chunk, emit) => events.push(chunk, (lines) => decoder.push(lines, emit)),
    end(emit) {
      events.end((lines) => decoder.push(lines, emit));
      decoder.end(emit);
    },
  };
}

/** Where in the stream the next byte is. */
type Place =
  /** At its start, where there may be a byte order mark. */
  | "mark"
  /** In the name of a field. */
  | "name"
  /** After the colon, where one space is skipped. */
  | "space"
  /** In data that may be the end mark. */
  | "end-mark"
  /** In data. */
  | "data"
  /** In a comment, or another field. */
  | "ignored";

/** The bytes of server-sent events to lines of NDJSON. */
export class EventDecoder implements Step<Uint8Array, Uint8Array> {
  #place: Place = "mark";
  /** How many bytes have matched the byte order mark, the field name or the end mark. */
  #matched = 0;
  /** Whether the last byte was a carriage return. A newline after it belongs to the same line end. */
  #endsInReturn = false;
  /** Whether the event has data. */
  #hasData = false;
  /** The output of a chunk: its first `#length` bytes. */
  #output = new Uint8Array();
  #length = 0;

  push(chunk: Uint8Array, emit: Emit<Uint8Array>): void {
    // Each byte becomes at most one byte, plus the bytes of a presumed end mark that were held back.
    this.#begin(chunk.length + END_MARK.length);
    for (let at = 0; at < chunk.length;) {
      if (this.#place === "data") at = this.#takeData(chunk, at);
      else this.#take(chunk[at++]!);
    }
    this.#finish(emit);
  }

  /** Data without a blank line after it is the last line. (The standard would discard it.) */
  end(emit: Emit<Uint8Array>): void {
    this.#begin(END_MARK.length);
    this.#endEndMark();
    this.#finish(emit);
  }

  #begin(maxLength: number): void {
    this.#output = new Uint8Array(maxLength);
    this.#length = 0;
  }

  #finish(emit: Emit<Uint8Array>): void {
    if (this.#length > 0) emit(this.#output.subarray(0, this.#length));
  }

  #write(bytes: Uint8Array): void {
    this.#output.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #writeByte(byte: number): void {
    this.#output[this.#length++] = byte;
  }

  /** Takes data up to the end of its line, and returns where that is. */
  #takeData(chunk: Uint8Array, start: number): number {
    let end = start;
    while (end < chunk.length && chunk[end] !== NEWLINE && chunk[end] !== CARRIAGE_RETURN) end++;
    this.#write(chunk.subarray(start, end));
    if (end < chunk.length) this.#take(chunk[end++]!);
    return end;
  }

  #take(byte: number): void {
    const isRestOfLineEnd = byte === NEWLINE && this.#endsInReturn;
    this.#endsInReturn = byte === CARRIAGE_RETURN;
    if (isRestOfLineEnd) return;
    if (byte === NEWLINE || byte === CARRIAGE_RETURN) return this.#endLine();
    switch (this.#place) {
      case "mark":
        return this.#takeMark(byte);
      case "name":
        return this.#takeName(byte);
      case "space":
        this.#goTo("end-mark");
        if (byte !== SPACE) this.#takeEndMark(byte);
        return;
      case "end-mark":
        return this.#takeEndMark(byte);
    }
  }

  #goTo(place: Place): void {
    this.#place = place;
    this.#matched = 0;
  }

  #takeMark(byte: number): void {
    if (byte === BYTE_ORDER_MARK[this.#matched]) {
      this.#matched++;
      if (this.#matched === BYTE_ORDER_MARK.length) this.#goTo("name");
    } else if (this.#matched > 0) this.#goTo("ignored");
    else {
      this.#goTo("name");
      this.#takeName(byte);
    }
  }

  #takeName(byte: number): void {
    if (byte === FIELD_NAME[this.#matched]) this.#matched++;
    else if (byte === COLON && this.#matched === FIELD_NAME.length) this.#beginData();
    else this.#goTo("ignored");
  }

  #beginData(): void {
    // The standard joins lines of data with a newline. In JSON a carriage return means the same, and in
    // NDJSON it does not end the line.
    if (this.#hasData) this.#writeByte(CARRIAGE_RETURN);
    this.#hasData = true;
    this.#goTo("space");
  }

  #takeEndMark(byte: number): void {
    if (byte === END_MARK[this.#matched]) {
      this.#matched++;
      return;
    }
    this.#write(END_MARK.subarray(0, this.#matched));
    this.#writeByte(byte);
    this.#goTo("data");
  }

  /** Drops data that is exactly the end mark, and writes data that only begins like it. */
  #endEndMark(): void {
    if (this.#place !== "end-mark" || this.#matched === END_MARK.length) return;
    this.#write(END_MARK.subarray(0, this.#matched));
  }

  #endLine(): void {
    this.#endEndMark();
    if (this.#place === "name" && this.#matched === FIELD_NAME.length) this.#beginData();
    const isBlank = this.#matched === 0 && (this.#place === "name" || this.#place === "mark");
    if (isBlank && this.#hasData) {
      this.#writeByte(NEWLINE);
      this.#hasData = false;
    }
    this.#goTo("name");
  }
}
