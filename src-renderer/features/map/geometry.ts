/** Sizes of the map in px at 100 %, and the shapes that layout, routing and drawing pass to one another. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A service on the map: its centre, and how wide its card is. */
export interface Place extends Point {
  readonly width: number;
}

export type Places = ReadonlyMap<string, Place>;

/** What layout needs to know of a service and of an edge, and no more. */
export interface LayerMember {
  readonly name: string;
  /** The layer, from 0 on the left. */
  readonly depth: number;
}

export interface Link {
  readonly id: string;
  readonly caller: string;
  readonly callee: string;
}

export const cardHeight = 47;
/** From the middle of a card to the middle of the next below it. */
export const rowPitch = 96;
export const widestRowPitch = 144;
export const narrowestCard = 100;
export const widestCard = 148;
/** The room between two columns: an arrow with its label. */
export const narrowestGap = 100;
export const widestGap = 140;
/** As wide as the widest that is usual: "22 % failed" with the mark of a fault. */
export const labelSize = { width: 80, height: 32 };
/** Between two lines that pass a column of cards side by side. */
export const laneGap = 12;
