/*
 * The torture in one thread: what goes without locks as long as no second thread of the program comes, beside the
 * library's own threads.
 */
#define THREADS 0
#include "torture/run.h"

int main(int argc, char **argv)
{
    return torture(argc, argv);
}
