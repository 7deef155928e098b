// What would be rented if the policy allowed it. Pure data.

export interface RentPreview {
  /** When the offers were searched, epoch ms. */
  at: number;
  /** The offer that a create would take; null: there is none to take, or it could not be found out. */
  offer: {
    id: number;
    hostId: number | null;
    machineId: number | null;
    gpu: string;
    dollarsPerHour: number | null;
  } | null;
  /** The offer and why it is this one; without one, why not and what to do. */
  message: string;
}
