/** Words by which stored rows say what they are: kinds, states, outcomes. Replaced, they would leave rows that nobody can read. */
const WORDS = `
  MAIL absent act advisory agent all answer answered answers anti_pattern arrived asked backing_off body brainmod
  breaker_open budget caller cancel cancelled capabilities cause classic cloudevents complete completed completion
  cooldown count critical day dead dead_letters decisions deliver_by delivered depth discord done dotted down
  drop_oldest dropped emit ended enqueue error eu event_based_discovery events expectation_late expected expired
  export_failing failed failing fallback fedramp filesystem finished fired flight forbidden_key forward
  forwards_waiting free frozen ganglion gap gaps gave_up github gone half_open header health healthy high hooks
  host_alert host_down hosts hung id idle imported in_flight info intelligence intent investigations javascript
  key_length keys langfuse later lease_expired leased library link_lost linked live log_damaged logs lost low lower
  mail mail_late maintenance memory metrics missing month ms no_listener none normal ntfy observation observations
  on_demand once once_per open overdue overloaded pagerduty paid paused percent policy producers projection_lagging
  promotions purge python quarantine quarantined queue_alert queue_deep queue_paused queued rate raw reaction read
  read_by reader refuse refused repeated_key reply_to requested resolved resumed retry returned rule_quarantined
  running same sampler scanner_quarantined sessions share signal signals silent skipped slack slice source spans
  specversion stale started starting stopped stopping subject supervisor suppressed switch taken task task_slow
  tasks_failing tasks_unjudged tasks_unplaced teams text thread time timed_out timeout timestamp too_large traces trigger type typescript
  unexpected unknown unreadable up upper us variant waiting warning webhook webhook_failing worker workers working
  zone
`;

export const OWN_WORDS: ReadonlySet<string> = new Set(WORDS.split(/\s+/).filter((word) => word !== ""));
