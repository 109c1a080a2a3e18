// @ts-check

/** One group of methods made of several rooms. */

/** @typedef {import("../methods.js").Methods} Methods */

/**
 * The methods of all rooms.
 *
 * @param {Partial<Methods>[]} rooms
 * @returns {Methods}
 */
function together(rooms) {
  return {
    reads: Object.assign({}, ...rooms.map(({ reads }) => reads)),
    writes: Object.assign({}, ...rooms.map(({ writes }) => writes)),
    answers: Object.assign({}, ...rooms.map(({ answers }) => answers)),
    unparsed: rooms.flatMap(({ unparsed }) => unparsed || []),
  };
}

module.exports = { together };
