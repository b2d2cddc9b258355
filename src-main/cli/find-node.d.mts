/** The first version with everything that Spike uses. */
export declare const neededMajor: number;
/** This process if it is new enough, else the Node that the package brings, else null. */
export declare function findNode(): string | null;
/** What to say when there is none. */
export declare const missingNode: string;
