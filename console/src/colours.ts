// One colour a party, the same on every console, told apart also by those who see few colours.
const PALETTE = [
  "#5aa9ff", "#5fd38a", "#ffb454", "#d38cff", "#ff7a9c", "#4fd6d6", "#c9d15a", "#a0a8ff", "#ff9a6b", "#7fe0b0", "#e0a0d0", "#9fc7e8",
  "#d8c090", "#b0e070", "#c8b0ff",
];
export const LEVEL_COLOUR = { warning: "#ff4d4d", caution: "#ffb020", advisory: "#8fb8d8" } as const;

export const partyColour = (parties: readonly string[], party: string): string =>
  PALETTE[Math.max(0, parties.indexOf(party)) % PALETTE.length] ?? "#ffffff";
