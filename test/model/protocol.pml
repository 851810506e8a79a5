/*
 * How Holdfast follows the write-ahead log of a live SQLite database, against the locks of SQLite's wal.c.
 * docs/protocol.md tells the protocol in words, the invariants and what this model leaves out.
 *
 * Sizes, each a -D: WRITERS, CHECKPOINTER, FOREIGN_READER, CRASHES, COMMITS, COMMIT_FRAMES, MARKS,
 * LOG_FRAMES, MAX_SALT, ATTEMPTS.
 * Broken variants, each a -D that the checker must reject: BROKEN_*; SQLITE_BEFORE_3_51_3 is SQLite's own WAL-reset bug.
 */

#ifndef WRITERS
#define WRITERS 1
#endif
#ifndef CHECKPOINTER
#define CHECKPOINTER 1     /* another process that checkpoints, in any mode */
#endif
#ifndef FOREIGN_READER
#define FOREIGN_READER 0
#endif
#ifndef CRASHES
#define CRASHES 0          /* how often the follower is killed and started again */
#endif
#ifndef COMMITS
#define COMMITS 3          /* transactions, rolled back ones too */
#endif
#ifndef MARKS
#define MARKS 3            /* WAL_NREADER: 5 in SQLite; fewer make readers share marks sooner */
#endif
#ifndef COMMIT_FRAMES
#define COMMIT_FRAMES 1    /* at most, in one transaction */
#endif
#ifndef LOG_FRAMES
#define LOG_FRAMES 3
#endif

#ifndef ATTEMPTS
#define ATTEMPTS 0         /* how often each writer and the foreign reader try; 0: without end */
#endif
#ifndef MAX_SALT
#define MAX_SALT 3         /* one more than the resets that are tried */
#endif

#define NOT_USED 255
#define NONE     254

#define PASSIVE  0
#define FULL     1
#define RESTART  2
#define TRUNCATE 3

/* ---- The shared memory and the locks, as in wal.c ---- */

byte salt = 1;             /* the header of the wal-index, read whole or not at all */
byte mxFrame;
byte nBackfill;
byte mark[MARKS];          /* aReadMark */
byte readers[MARKS];       /* shared holders of WAL_READ_LOCK(i) */
bool exclusive[MARKS];     /* WAL_READ_LOCK(i) is held exclusively */
bool writeLock;
bool ckptLock;

/* ---- The log file: the salt that each frame carries ---- */

byte frameSalt[LOG_FRAMES + 1];

/* ---- Ghosts: positions count committed frames since the beginning, over all resets ---- */

byte resetAt;              /* position of the present log's start; resetAt + mxFrame is the newest commit */
byte fileAt;               /* how far checkpoints may have written into the database file */
byte drainedAt;            /* how far the follower has taken commits */
byte endOf[MAX_SALT + 1];  /* position of the end of each log that was reset */
bool guarded;              /* the follower claims that no commit can escape it */
bool formerFromFile;       /* the follower takes former versions of pages from the file without checking their hashes */
byte budget = COMMITS;
byte kills = CRASHES;
bool holdsWrite;           /* the follower holds WRITE */

#define NEWEST (resetAt + mxFrame)
#define END_OF(log) (log == salt -> NEWEST : endOf[log])

/* Property 1: a log is reset only when every commit in it was taken. */
#define RESET_IS_SAFE    assert(!guarded || drainedAt == NEWEST)
/* Property 2: the file does not run ahead of what was taken, while its pages serve as former versions. */
#ifdef ONLY_RESETS         /* to see that property 1 finds what property 2 would find sooner */
#define FILE_IS_BEHIND   skip
#else
#define FILE_IS_BEHIND   assert(!formerFromFile || fileAt <= drainedAt)
#endif
/* SQLite's own: never more copied than there is. */
#define COPY_IS_SANE     assert(nBackfill <= mxFrame)

inline lock_all_marks() {
  d_step {
    got = true; i = 1;
    do
    :: i < MARKS -> got = got && readers[i] == 0 && !exclusive[i]; i++
    :: else -> break
    od;
    i = 1;
    do
    :: got && i < MARKS -> exclusive[i] = true; i++
    :: else -> break
    od;
    i = 0
  }
}

inline unlock_all_marks() {
  atomic {
    got = false;
    i = 1;
    do
    :: i < MARKS -> exclusive[i] = false; i++
    :: else -> break
    od;
    i = 0
  }
}

/* walRestartHdr: the header first, then nBackfill, then the marks, as three visible steps. */
inline restart_log() {
  d_step {
    RESET_IS_SAFE;
    endOf[salt] = NEWEST;
    resetAt = NEWEST;
    salt++;
    mxFrame = 0
  };
  nBackfill = 0;
  d_step {
    mark[1] = 0;
    i = 2;
    do
    :: i < MARKS -> mark[i] = NOT_USED; i++
    :: else -> break
    od;
    i = 0
  }
}

/* What every connection keeps to itself. */
#define CONNECTION \
  byte hSalt, hFrame; /* its copy of the header */ \
  byte i, at, best, safe, mode; \
  bool done, got

inline forget_header() {
  atomic { hSalt = 0; hFrame = 0 }
}

/*
 * walTryBeginRead, once: slot stays NONE when SQLite would try again. Leaves in hSalt and hFrame the header that it saw.
 * A busy lock is an answer, not a wait: waiting and trying again are the same model steps, taken later.
 */
inline try_begin_read(slot, useWal) {
  d_step { slot = NONE; hSalt = salt; hFrame = mxFrame };
  if
  :: atomic { !useWal && nBackfill == hFrame && !exclusive[0] -> readers[0]++ };
     d_step {
       if
       :: hSalt == salt && hFrame == mxFrame -> slot = 0
       :: else -> readers[0]--
       fi
     }
  :: d_step {
       useWal || nBackfill != hFrame || exclusive[0] ->
       best = 0; at = 0; i = 1;
       do                                                        /* the largest mark not beyond the header */
       :: i < MARKS ->
          if
          :: mark[i] >= best && mark[i] <= hFrame -> best = mark[i]; at = i
          :: else -> skip
          fi;
          i++
       :: else -> break
       od;
       i = 1;
       do                                                        /* or raise one that nobody holds */
       :: i < MARKS && (best < hFrame || at == 0) ->
          if
          :: readers[i] == 0 && !exclusive[i] -> mark[i] = hFrame; best = hFrame; at = i
          :: else -> skip
          fi;
          i++
       :: else -> break
       od;
       i = 0
     };
     if
     :: atomic { at > 0 && !exclusive[at] -> readers[at]++ };
        d_step {
          if
          :: mark[at] == best && hSalt == salt && hFrame == mxFrame -> slot = at
          :: else -> readers[at]--
          fi;
          best = 0; at = 0
        }
     :: atomic { !(at > 0 && !exclusive[at]) -> best = 0; at = 0 }
     fi
  fi
}

inline end_read(slot) {
  atomic { readers[slot]--; slot = NONE }
}

/* sqlite3WalCheckpoint and walCheckpoint. Leaves in done whether every frame of the log is in the file. */
inline checkpoint(anyMode) {
  if
  :: atomic {
       !ckptLock -> ckptLock = true; done = false;
       if
       :: mode = PASSIVE
       :: anyMode -> mode = FULL
       :: anyMode -> mode = RESTART
       :: anyMode -> mode = TRUNCATE
       fi
     };
     if
     :: mode == PASSIVE -> skip
     :: atomic { mode != PASSIVE && !writeLock -> writeLock = true }
     :: atomic { mode != PASSIVE && writeLock -> mode = PASSIVE }
     fi;
     d_step { hSalt = salt; hFrame = mxFrame; at = 1; safe = hFrame };
     if
     :: nBackfill < hFrame ->
        do                                                       /* each mark below: out of use, or a limit */
        :: atomic {
             at < MARKS ->
             if
             :: mark[at] >= safe -> skip
             :: mark[at] < safe && readers[at] == 0 && !exclusive[at] -> mark[at] = (at == 1 -> safe : NOT_USED)
             :: mark[at] < safe && !(readers[at] == 0 && !exclusive[at]) -> safe = mark[at]
             fi;
             at++
           }
        :: at == MARKS -> break
        od;
        if
        :: atomic { nBackfill < safe && readers[0] == 0 && !exclusive[0] -> exclusive[0] = true };
           if
#ifdef SQLITE_BEFORE_3_51_3
           :: true ->
#else
           :: hSalt == salt ->
#endif
              d_step {
                if
                :: fileAt < resetAt + safe -> fileAt = resetAt + safe
                :: else -> skip
                fi;
                FILE_IS_BEHIND
              };
              if
              :: d_step { nBackfill = safe; COPY_IS_SANE }
              :: skip                                            /* an I/O error, or the process died */
              fi
#ifndef SQLITE_BEFORE_3_51_3
           :: hSalt != salt -> skip                              /* the log was reset since the header was read */
#endif
           fi;
           exclusive[0] = false
        :: nBackfill >= safe || readers[0] > 0 || exclusive[0] -> skip
        fi
     :: nBackfill >= hFrame -> skip
     fi;
     d_step { done = (nBackfill == hFrame); safe = 0; at = 0; hSalt = 0; hFrame = 0 };
     if
     :: atomic {
          mode >= RESTART && done ->
          lock_all_marks()
        };
        if
        :: got && mode == TRUNCATE && salt < MAX_SALT -> restart_log()
        :: !(got && mode == TRUNCATE && salt < MAX_SALT) -> skip
        fi;
        if
        :: got -> unlock_all_marks()
        :: !got -> skip
        fi
     :: !(mode >= RESTART && done) -> skip
     fi;
     atomic {
       ckptLock = false;
       if
       :: mode != PASSIVE -> writeLock = false
       :: else -> skip
       fi;
       mode = PASSIVE
     }
  :: ckptLock -> done = false                                    /* SQLITE_BUSY */
  fi
}

/* ---- The application ---- */

#if ATTEMPTS
#define MAY_TRY (attempts > 0)
#define TRY     attempts--
#else
#define MAY_TRY true
#define TRY     skip
#endif

proctype Writer() {
  CONNECTION;
  byte slot = NONE, n;
  byte attempts = ATTEMPTS;
  do
  :: atomic { budget > 0 && MAY_TRY -> TRY };
     try_begin_read(slot, false);
     if
     :: slot == NONE -> goto again
     :: atomic { slot != NONE && !writeLock && hSalt == salt && hFrame == mxFrame -> writeLock = true; budget--; forget_header() }
     :: slot != NONE && (writeLock || hSalt != salt || hFrame != mxFrame) -> goto close     /* SQLITE_BUSY */
     fi;
     if
     :: slot == 0 ->                                             /* walRestartLog */
        if
        :: nBackfill > 0 && salt < MAX_SALT ->
           lock_all_marks();
           if
           :: got -> restart_log(); unlock_all_marks()
           :: !got -> skip
           fi
        :: nBackfill == 0 || salt == MAX_SALT -> skip
        fi;
        end_read(slot);
        do
        :: slot == NONE -> try_begin_read(slot, true)
        :: slot != NONE -> break
        od;
        forget_header()
     :: slot != 0 -> skip
     fi;
     /* Frames first; a spill or a failed commit leaves them behind, and the next writer writes over them. */
     do
     :: atomic { n < COMMIT_FRAMES && mxFrame + n < LOG_FRAMES -> n++; frameSalt[mxFrame + n] = salt }
     :: atomic { n > 0 -> mxFrame = mxFrame + n; n = 0 }; break
     :: n = 0; break                                             /* rolled back, or the commit's fsync failed */
     od;
     writeLock = false;
close:
     skip;
     end_read(slot);
again:
     forget_header()
  :: break
  od
}

proctype Checkpointer() {
  CONNECTION;
  do
  :: checkpoint(true); done = false
  :: break
  od
}

proctype Reader() {
  CONNECTION;
  byte slot = NONE;
  byte attempts = ATTEMPTS;
  do
  :: atomic { MAY_TRY -> TRY };
     try_begin_read(slot, false);
     forget_header();
     if
     :: slot != NONE -> end_read(slot)
     :: slot == NONE -> skip
     fi
  :: break
  od
}

/* ---- The follower ---- */

#ifdef BROKEN_HORIZON
#define MORE (ownFrame < LOG_FRAMES && frameSalt[ownFrame + 1] == ownSalt)
#else
#define MORE (ownFrame < seenFrame)
#endif

/*
 * Takes what is committed: up to the horizon of the wal-index, and only frames with the salt of the log that it is in.
 * While guarded, another salt means that all of the former log had been taken. Else it means a loss.
 */
inline drain() {
  d_step {
    seenFrame = mxFrame;
    if
    :: salt == ownSalt -> skip
    :: salt != ownSalt && !guarded -> lost = true
    :: else -> assert(drainedAt == resetAt); ownSalt = salt; ownFrame = 0
    fi
  };
  do
  :: !lost && MORE ->
     d_step {
       if
       :: frameSalt[ownFrame + 1] != ownSalt -> assert(!guarded); lost = true
       :: else ->
          assert(drainedAt < END_OF(ownSalt));                   /* Property 4: it is committed */
          FILE_IS_BEHIND;
          ownFrame++;
          drainedAt++
       fi
     }
  :: lost || !(MORE) -> break
  od;
  atomic {
    seenFrame = 0;
    if
    :: !lost -> guarded = true; formerFromFile = true; FILE_IS_BEHIND
    :: else -> skip
    fi
  }
}

/* The rule that keeps every frame: begin the younger reader, drain, end the older. */
inline roll() {
#ifdef BROKEN_NO_READER
  end_read(older);
  do
  :: older == NONE -> try_begin_read(older, false)
  :: older != NONE -> break
  od;
  forget_header();
  drain()
#else
  try_begin_read(younger, false);
  forget_header();
  if
  :: younger != NONE ->
#if defined(BROKEN_ROLL)
     end_read(older);
     drain();
#else
     if
     :: drain()
     :: younger == 0 -> skip                                     /* all is copied, so all was taken: nothing to drain */
     fi;
     end_read(older);
#endif
     d_step { older = younger; younger = NONE }
  :: younger == NONE -> skip
  fi
#endif
}

/* Nothing can be committed here, and no log be reset: so the order does not matter, nor a moment without any reader. */
inline begin_anew() {
  if
  :: try_begin_read(younger, false);
     if
     :: younger != NONE -> end_read(older); d_step { older = younger; younger = NONE }
     :: else -> skip
     fi
  :: end_read(older);
     do
     :: older == NONE -> try_begin_read(older, false)
     :: older != NONE -> break
     od
  fi;
  forget_header()
}

inline hand_off() {
  try_begin_read(immediate, false);
  if
  :: immediate == NONE -> goto gave_up
  :: atomic {
       immediate != NONE && !writeLock && hSalt == salt && hFrame == mxFrame ->
       writeLock = true; holdsWrite = true; forget_header()
     }
  :: immediate != NONE && (writeLock || hSalt != salt || hFrame != mxFrame) -> goto gave_up
  fi;
#ifdef BROKEN_HANDOFF
  end_read(older);
  checkpoint(false);
  do
  :: older == NONE -> try_begin_read(older, false)
  :: older != NONE -> break
  od;
#else
  drain();
  if
  :: true -> skip
  :: goto rollback                                               /* out of time, or an error */
  fi;
  roll();
  checkpoint(false);
  if
  :: done -> begin_anew()
#ifdef BROKEN_RELEASE
  :: !done -> holdsWrite = false; goto gave_up
#else
  :: !done -> skip
#endif
  fi;
#endif
rollback:
  skip;
  d_step { holdsWrite = false; writeLock = false };
gave_up:
  if
  :: immediate != NONE -> end_read(immediate)
  :: immediate == NONE -> skip
  fi;
  d_step { done = false; hSalt = 0; hFrame = 0 }
}

/* The process is gone, and its locks with it. Only the position is kept. */
inline die() {
  d_step {
    guarded = false; formerFromFile = false;
    if
    :: older != NONE -> readers[older]--; older = NONE
    :: else -> skip
    fi;
    if
    :: holdsWrite -> writeLock = false; holdsWrite = false
    :: else -> skip
    fi
  }
}

proctype Follower() {
  CONNECTION;
  byte older = NONE, younger = NONE, immediate = NONE;
  byte ownSalt, ownFrame, seenFrame;
  bool lost;
start:
  do
  :: older == NONE -> try_begin_read(older, false)
  :: older != NONE -> break
  od;
  forget_header();
  /* From the position of the last run, if the log still has all that came after it. */
  if
  :: atomic { salt == ownSalt && ownFrame <= mxFrame -> assert(drainedAt == resetAt + ownFrame) };
#ifdef BROKEN_RESUME
     formerFromFile = true;
#endif
     drain()
  :: atomic { !(salt == ownSalt && ownFrame <= mxFrame) -> lost = true }
  fi;
  /* From the present state, which is the file and the log up to the horizon: a first start, or a recorded gap. */
  if
  :: lost -> d_step {
       lost = false; ownSalt = salt; ownFrame = mxFrame; drainedAt = NEWEST;
       guarded = true; formerFromFile = true; FILE_IS_BEHIND
     }
  :: !lost -> skip
  fi;
  do
  :: drain()
  :: roll()
  :: checkpoint(false); done = false
  :: hand_off(); assert(!holdsWrite)                             /* Property 5 */
  :: kills > 0 -> kills--; die(); goto start
  :: break
  od;
  die()
}

init {
  byte n;
  atomic {
    n = 2;
    do
    :: n < MARKS -> mark[n] = NOT_USED; n++
    :: else -> break
    od;
    n = 0;
    do
    :: n < WRITERS -> run Writer(); n++
    :: else -> break
    od;
#if CHECKPOINTER
    run Checkpointer();
#endif
    run Follower();
#if FOREIGN_READER
    run Reader()
#endif
  };
  /* Property 3: everybody ends, and nothing stays locked. */
  _nr_pr == 1;
  d_step {
    assert(!writeLock && !ckptLock);
    n = 0;
    do
    :: n < MARKS -> assert(readers[n] == 0 && !exclusive[n]); n++
    :: else -> break
    od
  }
}
