import type { Ledger } from "../../../src/core/limits/machine.ts";
import type { Reservation } from "../../../src/core/limits/state.ts";

/** Reservations in memory. */
export class MemoryLedger implements Ledger {
  readonly rows = new Map<string, Reservation>();

  read(id: string): Reservation | undefined {
    return this.rows.get(id);
  }

  write(reservation: Reservation): void {
    this.rows.set(reservation.id, reservation);
  }

  expiring(ownMs: number): readonly Reservation[] {
    return [...this.rows.values()].filter(({ state, expiresMs }) => state === "held" && expiresMs <= ownMs);
  }
}
