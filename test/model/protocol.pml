/*
 * How Holdfast follows the write-ahead log of a live SQLite database, against the locks of SQLite's wal.c.
 * docs/protocol.md tells the protocol in words, the invariants and what this model leaves out.
 *
 * Sizes, each a -D: WRITERS, CHECKPOINTER, FOREIGN_READER, CRASHES, COMMITS, COMMIT_FRAMES, MARKS,
 * LOG_FRAMES, MAX_SALT, ATTEMPTS, CHECKPOINT_ATTEMPTS. LIVENESS: what comes about at last, instead of what never happens.
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
#ifndef CHECKPOINT_ATTEMPTS
#define CHECKPOINT_ATTEMPTS 0 /* how often the other process tries to checkpoint; 0: without end */
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

/* ---- The log file: the salt that each frame carries. A reset leaves the frames, TRUNCATE does not ---- */

byte frameSalt[LOG_FRAMES + 1];
#if CRASHES
bool isCommitted[LOG_FRAMES + 1]; /* what the chain of checksums and the commit marks tell of a frame */
bool copyingBegun;         /* nBackfillAttempted, as far as it is looked at: something of this log may be in the file */
#endif

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

#ifdef LIVENESS
/*
 * Properties 7 and 8, under weak fairness. There are only so many transactions; but those who fail may try again for ever.
 * `isHandedOff`: everything that was committed is in the file, and our reader lets the log be reset.
 */
bool isHandedOff;
byte others = WRITERS + CHECKPOINTER;
#define HAND_OFF_IS_COMPLETE isHandedOff = true
#define LOG_HAS_GROWN        isHandedOff = false
#define OTHER_ENDS           others--
ltl drains    { <> [] (drainedAt == NEWEST) }
ltl hands_off { (<> (others == 0)) -> <> (others == 0 && isHandedOff) }
#else
#define HAND_OFF_IS_COMPLETE skip
#define LOG_HAS_GROWN        skip
#define OTHER_ENDS           skip
#endif

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
#if CRASHES
    copyingBegun = false;
#endif
    mark[1] = 0;
    i = 2;
    do
    :: i < MARKS -> mark[i] = NOT_USED; i++
    :: else -> break
    od;
    i = 0
  }
}

/* What a connection keeps to itself: to read, to checkpoint, to reset. */
#define READS       byte hSalt, hFrame, i, at, best /* its copy of the header first */
#define CHECKPOINTS byte safe; bool done
#define RESETS      bool got

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

/* walCheckpoint, with CKPT held: copies frames into the file, as far as the readers let it. */
inline copy_frames() {
  d_step { hSalt = salt; hFrame = mxFrame; at = 1; safe = hFrame };
  if
  :: nBackfill < hFrame ->
     do                                                          /* each mark below: out of use, or a limit */
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
#if CRASHES
           copyingBegun = true;
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
#ifndef LIVENESS
           :: skip                                               /* an I/O error, or the process died */
#endif
           fi
#ifndef SQLITE_BEFORE_3_51_3
        :: hSalt != salt -> skip                                 /* the log was reset since the header was read */
#endif
        fi;
        exclusive[0] = false
     :: nBackfill >= safe || readers[0] > 0 || exclusive[0] -> skip
     fi
  :: nBackfill >= hFrame -> skip
  fi;
  d_step { done = (nBackfill == hFrame); safe = 0; at = 0; hSalt = 0; hFrame = 0 }
}

/* Leaves in done whether every frame of the log is in the file. */
inline passive_checkpoint() {
  if
  :: atomic { !ckptLock -> ckptLock = true };
     copy_frames();
     ckptLock = false
  :: ckptLock -> done = false                                    /* SQLITE_BUSY */
  fi
}

inline any_checkpoint() {
  atomic {
    !ckptLock -> ckptLock = true;
    if
    :: mode = PASSIVE
    :: mode = FULL
    :: mode = RESTART
    :: mode = TRUNCATE
    fi
  };
  if
  :: mode == PASSIVE -> skip
  :: atomic { mode != PASSIVE && !writeLock -> writeLock = true }
  :: atomic { mode != PASSIVE && writeLock -> mode = PASSIVE }
  fi;
  copy_frames();
  if
  :: atomic {
       mode >= RESTART && done ->
       lock_all_marks()
     };
     if
     :: got && mode == TRUNCATE && salt < MAX_SALT ->
        restart_log();
#if CRASHES
        d_step {
          do
          :: i <= LOG_FRAMES -> frameSalt[i] = 0; isCommitted[i] = false; i++
          :: else -> break
          od;
          i = 0
        }
#endif
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
}

/* ---- The application ---- */

#if ATTEMPTS
#define MAY_TRY (attempts > 0)
#define TRY     attempts--
#else
#define MAY_TRY true
#define TRY     skip
#endif

#if CRASHES
#define WRITE_FRAME(f) frameSalt[f] = salt; isCommitted[f] = false
#define MARK_COMMITTED \
  d_step { \
    i = 1; \
    do \
    :: i <= n -> isCommitted[mxFrame + i] = true; i++ \
    :: else -> break \
    od; \
    i = 0 \
  }
#else
#define WRITE_FRAME(f) frameSalt[f] = salt
#define MARK_COMMITTED skip
#endif

proctype Writer() {
  READS; RESETS;
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
     :: atomic { n < COMMIT_FRAMES && mxFrame + n < LOG_FRAMES -> n++; WRITE_FRAME(mxFrame + n) }
     :: atomic { n > 0 -> MARK_COMMITTED; mxFrame = mxFrame + n; n = 0; LOG_HAS_GROWN }; break
     :: n = 0; break                                             /* rolled back, or the commit's fsync failed */
     od;
     writeLock = false;
close:
     skip;
     end_read(slot);
again:
     forget_header()
  :: break
  od;
  OTHER_ENDS
}

proctype Checkpointer() {
  READS; CHECKPOINTS; RESETS;
  byte mode;
#if CHECKPOINT_ATTEMPTS
  byte attempts = CHECKPOINT_ATTEMPTS;
  do
  :: atomic { attempts > 0 -> attempts-- };
     any_checkpoint(); done = false
#else
  do
  :: any_checkpoint(); done = false
#endif
  :: break
  od;
  OTHER_ENDS
}

proctype Reader() {
  READS;
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

/* One frame, if it is there: it has been written over if it has the salt of another log. */
#define IS_THERE (frameSalt[ownFrame + 1] == ownSalt)
/* Property 4: it is committed. */
#define TAKE_FRAME \
  assert(drainedAt < END_OF(ownSalt)); \
  FILE_IS_BEHIND; \
  ownFrame++; \
  drainedAt++

/*
 * Takes what is committed: up to the horizon of the wal-index, and only frames with the salt of the log that it is in. Another
 * salt means that all of the former log had been taken.
 */
inline drain() {
  d_step {
    seenFrame = mxFrame;
    if
    :: salt == ownSalt -> skip
    :: else -> assert(drainedAt == resetAt); ownSalt = salt; ownFrame = 0
    fi
  };
  do
  :: MORE -> d_step { assert(IS_THERE); TAKE_FRAME }
  :: !(MORE) -> break
  od;
  atomic { seenFrame = 0; formerFromFile = true; FILE_IS_BEHIND }
}

#if CRASHES
inline take_frame_if_there() {
  d_step {
    if
    :: !IS_THERE -> lost = true
    :: else -> TAKE_FRAME
    fi
  }
}

/*
 * After an absence: from the position of the last run, if all that was committed since can still be had. `hSalt` and `hFrame` are
 * the header that the reader stands on. It may stand on mark 0, and then the log may be reset before it has been taken.
 */
inline go_on_in_log() {
  d_step { seenFrame = (salt == ownSalt -> mxFrame : hFrame); assert(salt != ownSalt || drainedAt == resetAt + ownFrame) };
#ifdef BROKEN_RESUME
  formerFromFile = true;
#endif
  do
  :: ownFrame < seenFrame && !lost ->
     take_frame_if_there()
  :: ownFrame >= seenFrame || lost -> break
  od;
  seenFrame = 0
}

/* What is left of the log that we were in, if the present one came after it by one reset, and it is known where it ended. */
#ifdef BROKEN_COPIED
#define WAS_COPIED false
#else
#define WAS_COPIED copyingBegun
#endif
inline go_on_in_former_log() {
  seenFrame = ownFrame;
#ifndef BROKEN_RESET_PROOF
  do
  :: d_step { seenFrame < LOG_FRAMES && frameSalt[seenFrame + 1] == ownSalt && isCommitted[seenFrame + 1] -> seenFrame++ }
  :: d_step { !(seenFrame < LOG_FRAMES && frameSalt[seenFrame + 1] == ownSalt && isCommitted[seenFrame + 1]) -> skip }; break
  od;
#endif
  if
  :: seenFrame == 0 || frameSalt[seenFrame] != ownSalt -> lost = true
  :: seenFrame > 0 && frameSalt[seenFrame] == ownSalt -> skip
  fi;
  d_step {
    if
    :: lost || salt != hSalt || (hFrame > 0 && WAS_COPIED) -> lost = true
    :: else -> assert(fileAt == resetAt); assert(drainedAt + seenFrame - ownFrame == endOf[ownSalt])
    fi
  };
  do
  :: ownFrame < seenFrame && !lost ->
     take_frame_if_there()
  :: ownFrame >= seenFrame || lost -> break
  od;
  seenFrame = 0;
  if
  :: d_step { !lost -> ownSalt = hSalt; ownFrame = 0 }
  :: lost -> skip
  fi
}

inline come_back() {
  if
  :: ownSalt == 0 -> lost = true                                 /* a first start */
  :: ownSalt > 0 && hSalt == ownSalt && ownFrame <= hFrame -> go_on_in_log()
  :: ownSalt > 0 && hSalt == ownSalt + 1 -> go_on_in_former_log()
  :: ownSalt > 0 && hSalt != ownSalt + 1 && !(hSalt == ownSalt && ownFrame <= hFrame) -> lost = true
  fi;
  atomic {
    if
    :: !lost -> guarded = true
    :: else -> skip
    fi;
    forget_header()
  };
  if
  :: !lost -> drain()
  :: lost -> skip
  fi
}
#endif

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

/*
 * Nothing can be committed here, and no log be reset: so the order does not matter, nor a moment without any reader. Everything was
 * copied by us, so no checkpoint has anything to copy, and holds lock 0: property 6.
 */
inline begin_anew() {
  if
  :: try_begin_read(younger, false);
     end_read(older);
     d_step { older = younger; younger = NONE }
  :: end_read(older);
     try_begin_read(older, false)
  fi;
  assert(older == 0);
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
  passive_checkpoint();
  do
  :: older == NONE -> try_begin_read(older, false)
  :: older != NONE -> break
  od;
#else
  drain();
#ifndef LIVENESS
  if
  :: true -> skip
  :: goto rollback                                               /* out of time, or an error */
  fi;
#endif
#ifndef BROKEN_STUCK
  roll();
#endif
  passive_checkpoint();
  if
  :: done -> begin_anew(); HAND_OFF_IS_COMPLETE
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

/* The process is gone, and its locks with it. Only the position is kept, perhaps not the newest. */
inline die() {
  d_step {
    guarded = false; formerFromFile = false;
    readers[older]--; older = NONE
  };
#if CRASHES
  if
  :: skip
  :: d_step { ownFrame > 0 -> ownFrame--; drainedAt-- }
  fi
#endif
}

proctype Follower() {
  READS; CHECKPOINTS;
  byte older = NONE, younger = NONE, immediate = NONE;
  byte ownSalt, ownFrame, seenFrame;
#if CRASHES
  bool lost;
#endif
start:
  do
  :: older == NONE -> try_begin_read(older, false)
  :: older != NONE -> break
  od;
#if CRASHES
  come_back();
  if
  :: !lost -> goto following
  :: lost -> lost = false
  fi;
#endif
  forget_header();
  /* From the present state, which is the file and the log up to the horizon: a first start, or a recorded gap. */
  d_step {
    ownSalt = salt; ownFrame = mxFrame; drainedAt = NEWEST;
    guarded = true; formerFromFile = true; FILE_IS_BEHIND
  };
following:
#ifdef LIVENESS
  do
#ifdef BROKEN_STUCK
  :: drain(); hand_off()
#else
  :: drain(); roll(); hand_off()
#endif
  od
#else
  do
  :: drain()
  :: roll()
  :: passive_checkpoint(); done = false
  :: hand_off(); assert(!holdsWrite)                             /* Property 5 */
#if CRASHES
  :: kills > 0 -> kills--; die(); goto start
#endif
  :: break
  od;
  die()
#endif
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
